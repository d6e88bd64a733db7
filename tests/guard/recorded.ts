// What one exchange costs on each listener, at most: written by `deno task guard:record`, checked by
// `counts_test.ts`. A change that makes Weir leaner records anew; one that makes it fatter has to say why.

import type { Recorded } from "./limit.ts";

export const RECORDED: Recorded = {
  serve: {
    "GET 1 KB": { reads: 1, writes: 1, heapBytes: 12937, bufferBytes: 0, systemCalls: 7.15 },
    "POST 1 KB": { reads: 1, writes: 1, heapBytes: 25568, bufferBytes: 1249, systemCalls: 6.15 },
    "GET 300 KB": { reads: 3, writes: 1, heapBytes: 28900, bufferBytes: 290885, systemCalls: 15.17 },
  },
  wire: {
    "GET 1 KB": { reads: 2, writes: 2, heapBytes: 10884, bufferBytes: 4, systemCalls: 6.11 },
    "POST 1 KB": { reads: 2, writes: 2, heapBytes: 13888, bufferBytes: 2171, systemCalls: 6.13 },
    "GET 300 KB": { reads: 4, writes: 4, heapBytes: 20889, bufferBytes: 4, systemCalls: 11.13 },
  },
};
