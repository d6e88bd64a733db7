// What one exchange costs on each listener, at most: written by `deno task guard:record`, checked by
// `counts_test.ts`. A change that makes Weir leaner records anew; one that makes it fatter has to say why.

import type { Recorded } from "./limit.ts";

export const RECORDED: Recorded = {
  serve: {
    "GET 1 KB": { reads: 1.04, writes: 1.04, heapBytes: 11503, bufferBytes: 0, systemCalls: 7.22 },
    "POST 1 KB": { reads: 1.04, writes: 1.04, heapBytes: 23399, bufferBytes: 1250, systemCalls: 6.23 },
    "GET 300 KB": { reads: 3.04, writes: 1.04, heapBytes: 27065, bufferBytes: 290886, systemCalls: 14.21 },
  },
  wire: {
    "GET 1 KB": { reads: 2.04, writes: 2.04, heapBytes: 9676, bufferBytes: 4, systemCalls: 6.22 },
    "POST 1 KB": { reads: 2.04, writes: 2.04, heapBytes: 12616, bufferBytes: 2171, systemCalls: 6.22 },
    "GET 300 KB": { reads: 4.04, writes: 4.04, heapBytes: 18047, bufferBytes: 4, systemCalls: 10.22 },
  },
};
