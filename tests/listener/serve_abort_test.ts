// What a plain Deno.serve does when everything is cut, with a real client and a clock that stands still.

import { assertEquals } from "@std/assert";
import type { Exchange } from "../../src/exchange.ts";
import { openListener } from "../../src/listener/listening.ts";
import { listenOptions } from "../support/listen_options.ts";
import { RawClient } from "../support/raw_client.ts";

for (const drains of [false, true]) {
  Deno.test(`abort() ends what waits as if its client had left, ${drains ? "also once it drains" : "and is no failure"}`, async () => {
    const arrived = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    const failures: string[] = [];
    const listener = openListener(listenOptions("serve", {
      handle: async (exchange: Exchange) => {
        exchange.listener = { clientLeft: left.resolve };
        arrived.resolve();
        await left.promise;
      },
      onFailed: (reason) => failures.push(reason),
    }));
    await using client = await RawClient.connect(`http://127.0.0.1:${listener.port}`);
    await client.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    await arrived.promise;
    // It never settles: Deno waits for an answer, which a client that is cut is not to get.
    if (drains) listener.drain();
    while (drains && await connects(listener.port));
    listener.abort();
    await left.promise;
    await client.close();
    assertEquals(failures, []);
  });
}

async function connects(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
