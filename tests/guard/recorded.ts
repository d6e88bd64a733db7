// What one exchange costs on each listener, at most: written by `deno task guard:record`, checked by
// `counts_test.ts`. A change that makes Weir leaner records anew; one that makes it fatter has to say why.

import type { Recorded } from "./limit.ts";

export const RECORDED: Recorded = {
  serve: {
    "GET 1 KB": { reads: 1, writes: 1, heapBytes: 13113, bufferBytes: 918, systemCalls: 7.11 },
    "POST 1 KB": { reads: 1, writes: 1, heapBytes: 25266, bufferBytes: 1249, systemCalls: 6.15 },
    "GET 300 KB": { reads: 2, writes: 1, heapBytes: 22882, bufferBytes: 323584, systemCalls: 9.16 },
  },
  wire: {
    "GET 1 KB": { reads: 2, writes: 2, heapBytes: 11641, bufferBytes: 4, systemCalls: 6.11 },
    "POST 1 KB": { reads: 2, writes: 2, heapBytes: 14977, bufferBytes: 2172, systemCalls: 6.11 },
    "GET 300 KB": { reads: 4, writes: 4, heapBytes: 21412, bufferBytes: 16388, systemCalls: 11.1 },
  },
};
