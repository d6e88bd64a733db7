// Clients of each of two workers: which of them accepts a connection is the system's choice, so connections
// are made until both have one.

import { assert } from "@std/assert";
import { RawClient, requestText } from "./raw_client.ts";
import type { RawOrigin } from "./raw_origin.ts";

const CONNECTIONS_MAX = 64;

/** Connections until both workers have one, each with a request whose answer has begun; and whose it is. */
export async function clientsOfBothWorkers(
  url: string,
  origin: RawOrigin,
  stack: AsyncDisposableStack,
): Promise<Map<RawClient, string>> {
  const clients = new Map<RawClient, string>();
  while (clients.size < 4 || new Set(clients.values()).size < 2) {
    assert(clients.size < CONNECTIONS_MAX, "one worker accepted every connection");
    const client = stack.use(await RawClient.connect(url));
    await client.send(requestText("GET", "/"));
    const request = await origin.request(clients.size + 1);
    assert(await client.head() !== null);
    // A request id ends in a counter; what stands before it is the worker's own.
    clients.set(client, request.header("x-request-id")!.replace(/-[^-]*$/, ""));
  }
  return clients;
}
