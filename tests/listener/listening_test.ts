import { assertEquals } from "@std/assert";
import { configSchema } from "../../src/config/schema.ts";
import type { Listener } from "../../src/listener/listener.ts";
import { Listening } from "../../src/listener/listening.ts";
import { TimerWheel } from "../../src/timer_wheel.ts";

const certificate = (fingerprint: string) => ({ cert: "", key: "", fingerprint });

/** A port that listens with the certificate "first", and changes that end as the test says. */
function setUp() {
  let now = 0;
  const wheel = new TimerWheel({ now: () => now, every: () => () => {} });
  const told: string[] = [];
  /** What the listener was asked to change to, in order. */
  const changes: { readonly to: string; readonly succeeds: () => void; readonly fails: () => void }[] = [];
  const listener: Listener = {
    host: "127.0.0.1",
    port: 1,
    oldest: null,
    renew({ fingerprint }) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      changes.push({ to: fingerprint, succeeds: resolve, fails: () => reject(new Error("no room")) });
      return promise;
    },
    drain: () => Promise.resolve(),
    abort: () => {},
  };
  const listening = new Listening({
    config: configSchema.parse({}).listen,
    wheel,
    handle: () => Promise.resolve(),
    countConnection: () => {},
    makeRoom: () => null,
    trusts: () => false,
    onListening: () => {},
    onNotListening: () => {},
    onCertificate: (fingerprint) => told.push(fingerprint),
    open: () => listener,
  }, certificate("first"));
  listening.open();
  return {
    told,
    changes,
    swap: (fingerprint: string) => listening.swap(certificate(fingerprint)),
    passes(ms: number): void {
      now += ms;
      wheel.advance();
    },
  };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await null;
}

Deno.test("Listening tells a certificate once it and every change before it have come to their end", async () => {
  const { told, changes, swap } = setUp();
  assertEquals(told, ["first"]);
  swap("a");
  swap("b");
  changes[1]!.succeeds();
  await settled();
  assertEquals(told, ["first"]);
  changes[0]!.succeeds();
  await settled();
  assertEquals(told, ["first", "b"]);
});

Deno.test("Listening does not tell a certificate that cannot be had yet when an older change ends", async () => {
  const { told, changes, swap, passes } = setUp();
  swap("a");
  swap("b");
  changes[1]!.fails();
  await settled();
  changes[0]!.succeeds();
  await settled();
  assertEquals(told, ["first"]);
  passes(60);
  assertEquals(changes.map(({ to }) => to), ["a", "b", "b"]);
  changes[2]!.succeeds();
  await settled();
  assertEquals(told, ["first", "b"]);
});

Deno.test("Listening tells a certificate that was tried again when an older change ends after it", async () => {
  const { told, changes, swap, passes } = setUp();
  swap("a");
  swap("b");
  changes[1]!.fails();
  await settled();
  passes(60);
  changes[2]!.succeeds();
  await settled();
  assertEquals(told, ["first"]);
  changes[0]!.succeeds();
  await settled();
  assertEquals(told, ["first", "b"]);
});

Deno.test("Listening tells nothing of a change that fails while nothing else is under way", async () => {
  const { told, changes, swap } = setUp();
  swap("a");
  changes[0]!.fails();
  await settled();
  assertEquals(told, ["first"]);
});
