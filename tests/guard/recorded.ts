// What one exchange costs on each listener, at most: written by `deno task guard:record`, checked by
// `counts_test.ts`. A change that makes Weir leaner records anew; one that makes it fatter has to say why.

import type { Recorded } from "./limit.ts";

export const RECORDED: Recorded = {
  serve: {
    "GET 1 KB": { reads: 1, writes: 1, heapBytes: 12992, bufferBytes: 918, systemCalls: 7.1 },
    "POST 1 KB": { reads: 1, writes: 1, heapBytes: 25974, bufferBytes: 1249, systemCalls: 6.13 },
    "GET 300 KB": { reads: 2, writes: 1, heapBytes: 22150, bufferBytes: 323584, systemCalls: 9.1 },
  },
  wire: {
    "GET 1 KB": { reads: 2, writes: 2, heapBytes: 12084, bufferBytes: 4, systemCalls: 6.1 },
    "POST 1 KB": { reads: 2, writes: 2, heapBytes: 18321, bufferBytes: 2172, systemCalls: 6.1 },
    "GET 300 KB": { reads: 7, writes: 7, heapBytes: 29964, bufferBytes: 16388, systemCalls: 17.1 },
  },
};
