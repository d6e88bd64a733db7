// Why a listener lets a request go no further, in the words that every listener uses.

import type { Unacceptable } from "../exchange.ts";

/** A request that breaks HTTP, or asks for what the listener does not do. `message` is for the client. */
export function unacceptable(status: number, message: string): Unacceptable {
  return { status, error: "http_request_error", message };
}

/** What is wrong with a Host that `isAuthority` says no to. */
export function badHost(host: string): string {
  return host === "" ? "Host is empty" : "Host is not a host and port";
}
