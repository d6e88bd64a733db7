import type { RequestHead } from "../../src/exchange.ts";

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
