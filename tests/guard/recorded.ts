// What one exchange costs on each listener, at most: written by `deno task guard:record`, checked by
// `counts_test.ts`. A change that makes Weir leaner records anew; one that makes it fatter has to say why.

import type { Recorded } from "./limit.ts";

export const RECORDED: Recorded = {
  serve: {
    "GET 1 KB": { reads: 1, writes: 1, heapBytes: 10280, bufferBytes: 918, systemCalls: 7.1 },
    "POST 1 KB": { reads: 1, writes: 1, heapBytes: 18367, bufferBytes: 1249, systemCalls: 6.11 },
    "GET 300 KB": { reads: 2, writes: 1, heapBytes: 23655, bufferBytes: 307201, systemCalls: 12.09 },
  },
  wire: {
    "GET 1 KB": { reads: 2, writes: 2, heapBytes: 9759, bufferBytes: 4, systemCalls: 6.1 },
    "POST 1 KB": { reads: 2, writes: 2, heapBytes: 12901, bufferBytes: 2171, systemCalls: 6.1 },
    "GET 300 KB": { reads: 3, writes: 2, heapBytes: 15919, bufferBytes: 4, systemCalls: 7.1 },
  },
};
