import { assertEquals } from "@std/assert";
import { listenSchema } from "../../src/config/schema.ts";
import type { Listener } from "../../src/listener/listener.ts";
import { Listening } from "../../src/listener/listening.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";

const certificate = (fingerprint: string) => ({ cert: "", key: "", fingerprint });

/** A port that listens with the certificate "first", and changes that end as the test says. */
function setUp() {
  const time = new StillTime();
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
    config: listenSchema.parse({}),
    wheel: time.wheel,
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
    time,
  };
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
  const { told, changes, swap, time } = setUp();
  swap("a");
  swap("b");
  changes[1]!.fails();
  await settled();
  changes[0]!.succeeds();
  await settled();
  assertEquals(told, ["first"]);
  time.pass(60);
  assertEquals(changes.map(({ to }) => to), ["a", "b", "b"]);
  changes[2]!.succeeds();
  await settled();
  assertEquals(told, ["first", "b"]);
});

Deno.test("Listening tells a certificate that was tried again when an older change ends after it", async () => {
  const { told, changes, swap, time } = setUp();
  swap("a");
  swap("b");
  changes[1]!.fails();
  await settled();
  time.pass(60);
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
