// What one exchange costs on each listener, at most: written by `deno task guard:record`, checked by
// `counts_test.ts`. A change that makes Weir leaner records anew; one that makes it fatter has to say why.

import type { Recorded } from "./limit.ts";

export const RECORDED: Recorded = {
  serve: {
    "GET 1 KB": { reads: 1, writes: 1, heapBytes: 13212, bufferBytes: 0, systemCalls: 7.14 },
    "POST 1 KB": { reads: 1, writes: 1, heapBytes: 25128, bufferBytes: 1249, systemCalls: 6.13 },
    "GET 300 KB": { reads: 3, writes: 1, heapBytes: 29555, bufferBytes: 290885, systemCalls: 15.15 },
  },
  wire: {
    "GET 1 KB": { reads: 2, writes: 2, heapBytes: 11838, bufferBytes: 4, systemCalls: 6.1 },
    "POST 1 KB": { reads: 2, writes: 2, heapBytes: 14870, bufferBytes: 2171, systemCalls: 6.16 },
    "GET 300 KB": { reads: 4, writes: 4, heapBytes: 20662, bufferBytes: 4, systemCalls: 11.13 },
  },
};
