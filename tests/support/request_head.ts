// What tests of headers begin with: a plain request, and whom it comes from.

import type { RequestHead } from "../../src/exchange.ts";
import type { Asker } from "../../src/proxy/headers.ts";

/** A client that nobody vouches for: an endpoint's 100 reaches it, and no trailers do. */
export const STRANGER: Asker = {
  peer: "192.0.2.1",
  told: null,
  requestId: "id-1",
  informs: true,
  relaysTrailers: false,
};

/** The head of a plain `GET /`, with what is different. */
export function requestHead(changes: Partial<RequestHead> = {}): RequestHead {
  return {
    method: "GET",
    target: "/",
    authority: "a.test",
    scheme: "http",
    version: "1.1",
    headers: [],
    ...changes,
  };
}
