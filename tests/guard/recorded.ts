// What one exchange costs on each listener, at most: written by `deno task guard:record`, checked by
// `counts_test.ts`. A change that makes Weir leaner records anew; one that makes it fatter has to say why.

import type { Recorded } from "./limit.ts";

export const RECORDED: Recorded = {
  serve: {
    "GET 1 KB": { reads: 1.04, writes: 1.04, heapBytes: 12389, bufferBytes: 0, systemCalls: 7.25 },
    "POST 1 KB": { reads: 1.04, writes: 1.04, heapBytes: 23937, bufferBytes: 1249, systemCalls: 6.24 },
    "GET 300 KB": { reads: 3.04, writes: 1.04, heapBytes: 28699, bufferBytes: 290886, systemCalls: 14.21 },
  },
  wire: {
    "GET 1 KB": { reads: 2.04, writes: 2.04, heapBytes: 10975, bufferBytes: 4, systemCalls: 6.25 },
    "POST 1 KB": { reads: 2.04, writes: 2.04, heapBytes: 13882, bufferBytes: 2171, systemCalls: 6.25 },
    "GET 300 KB": { reads: 4.04, writes: 4.04, heapBytes: 20461, bufferBytes: 4, systemCalls: 10.25 },
  },
};
