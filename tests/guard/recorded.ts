// What one exchange costs on each listener, at most: written by `deno task guard:record`, checked by
// `counts_test.ts`. A change that makes Weir leaner records anew; one that makes it fatter has to say why.

import type { Recorded } from "./limit.ts";

export const RECORDED: Recorded = {
  serve: {
    "GET 1 KB": { reads: 1, writes: 1, heapBytes: 16311, bufferBytes: 918, systemCalls: 7.14 },
    "POST 1 KB": { reads: 1, writes: 1, heapBytes: 28147, bufferBytes: 1250, systemCalls: 6.11 },
    "GET 300 KB": { reads: 2, writes: 1, heapBytes: 27321, bufferBytes: 323584, systemCalls: 9.11 },
  },
  wire: {
    "GET 1 KB": { reads: 2, writes: 2, heapBytes: 16143, bufferBytes: 4, systemCalls: 6.11 },
    "POST 1 KB": { reads: 2, writes: 2, heapBytes: 23043, bufferBytes: 2171, systemCalls: 6.11 },
    "GET 300 KB": { reads: 7, writes: 7, heapBytes: 37209, bufferBytes: 16388, systemCalls: 17.11 },
  },
};
