// What one exchange costs on each listener, at most: written by `deno task guard:record`, checked by
// `counts_test.ts`. A change that makes Weir leaner records anew; one that makes it fatter has to say why.

import type { Recorded } from "./limit.ts";

export const RECORDED: Recorded = {
  serve: {
    "GET 1 KB": { reads: 1, writes: 1, heapBytes: 13050, bufferBytes: 918, systemCalls: 7.11 },
    "POST 1 KB": { reads: 1, writes: 1, heapBytes: 26117, bufferBytes: 1249, systemCalls: 6.16 },
    "GET 300 KB": { reads: 2, writes: 1, heapBytes: 22846, bufferBytes: 323584, systemCalls: 9.1 },
  },
  wire: {
    "GET 1 KB": { reads: 2, writes: 2, heapBytes: 11609, bufferBytes: 4, systemCalls: 6.16 },
    "POST 1 KB": { reads: 2, writes: 2, heapBytes: 18882, bufferBytes: 2171, systemCalls: 6.1 },
    "GET 300 KB": { reads: 7, writes: 7, heapBytes: 29752, bufferBytes: 16388, systemCalls: 17.1 },
  },
};
