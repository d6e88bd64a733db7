// A port whose listener cannot be had, or ends: it is listened on again, until the loop leaves.

import { assertEquals } from "@std/assert";
import { listenSchema } from "../../src/config/schema.ts";
import type { Listener, ListenOptions } from "../../src/listener/listener.ts";
import { Listening } from "../../src/listener/listening.ts";
import { StillTime } from "../support/still_time.ts";

/** A port for which the system gives a listener while it is `free`. */
function stage() {
  const time = new StillTime();
  const said: string[] = [];
  const opened: ListenOptions[] = [];
  const system = { free: true };
  const open = (options: ListenOptions): Listener => {
    said.push(`open ${options.config.port}`);
    if (!system.free) throw new Error("no descriptors");
    opened.push(options);
    return {
      host: "::",
      port: 4_711,
      oldest: null,
      renew: () => Promise.resolve(),
      drain: () => Promise.resolve(void said.push("drain")),
      abort: () => void said.push("abort"),
    };
  };
  const listening = new Listening({
    config: listenSchema.parse({ port: 0 }),
    wheel: time.wheel,
    handle: () => Promise.resolve(),
    countConnection: () => {},
    makeRoom: () => null,
    trusts: () => false,
    onListening: (host, port) => said.push(`listens on ${host} ${port}`),
    onNotListening: (reason) => said.push(`does not: ${reason}`),
    onCertificate: () => {},
    open,
  });
  return { time, listening, system, opened, takeSaid: () => said.splice(0) };
}

Deno.test("Listening tries again after longer and longer pauses, two seconds at most, and soon again once it has listened", () => {
  const { time, listening, system, opened, takeSaid } = stage();
  system.free = false;
  listening.open();
  assertEquals(takeSaid(), ["open 0", "does not: no descriptors"]);
  for (const pauseMs of [50, 100, 200, 400, 800, 1_600, 2_000, 2_000]) {
    time.pass(pauseMs - 10);
    assertEquals(takeSaid(), [], `before ${pauseMs} ms`);
    time.pass(20);
    assertEquals(takeSaid(), ["open 0", "does not: no descriptors"], `after ${pauseMs} ms`);
  }
  system.free = true;
  time.pass(2_010);
  assertEquals(takeSaid(), ["open 0", "listens on :: 4711"]);
  time.pass(10_000);
  assertEquals(takeSaid(), []);
  opened[0]!.onFailed("the accept loop ended");
  assertEquals(takeSaid(), ["does not: the accept loop ended"]);
  time.pass(60);
  // The other workers have this port, too.
  assertEquals(takeSaid(), ["open 4711", "listens on :: 4711"]);
  opened[0]!.onFailed("told twice");
  time.pass(10_000);
  assertEquals(takeSaid(), []);
});

for (const leave of ["drain", "abort"] as const) {
  Deno.test(`Listening.${leave}() ends what listens, and listens no more whatever happens then`, () => {
    const { time, listening, opened, takeSaid } = stage();
    listening.open();
    takeSaid();
    listening[leave]();
    assertEquals(takeSaid(), [leave]);
    opened[0]!.onFailed("closed");
    listening.open();
    time.pass(10_000);
    assertEquals(takeSaid(), []);
  });

  Deno.test(`Listening.${leave}() gives up a port that cannot be had`, () => {
    const { time, listening, system, takeSaid } = stage();
    system.free = false;
    listening.open();
    takeSaid();
    listening[leave]();
    system.free = true;
    time.pass(10_000);
    assertEquals(takeSaid(), []);
  });
}
