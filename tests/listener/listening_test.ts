import { assertEquals } from "@std/assert";
import { listenSchema } from "../../src/config/schema.ts";
import type { Listener } from "../../src/listener/listener.ts";
import { Listening, type ListeningInputs } from "../../src/listener/listening.ts";
import type { TimerWheel } from "../../src/timer_wheel.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";

/** What a port is listened on with, wherever the test has no wish of its own. */
function listeningOn(
  wheel: TimerWheel,
  given: Pick<ListeningInputs, "open"> & Partial<ListeningInputs>,
): ListeningInputs {
  return {
    config: listenSchema.parse({}),
    wheel,
    handle: () => Promise.resolve(),
    countConnection: () => {},
    makeRoom: () => null,
    trusts: () => false,
    onListening: () => {},
    onNotListening: () => {},
    onCertificate: () => {},
    ...given,
  };
}

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
  const inputs = listeningOn(time.wheel, {
    onCertificate: (fingerprint) => told.push(fingerprint),
    open: () => listener,
  });
  const listening = new Listening(inputs, certificate("first"));
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

/** A port on which another listener may take the place of one that is worn. */
function wornStage() {
  const { wheel } = new StillTime();
  const listeners: { readonly wear: () => void; readonly drained: () => void; readonly did: string[] }[] = [];
  let room = true;
  const inputs = listeningOn(wheel, {
    open: ({ onWornOut }) => {
      if (!room) throw new Error("no descriptors");
      const { promise, resolve } = Promise.withResolvers<void>();
      const did: string[] = [];
      listeners.push({ wear: onWornOut, drained: resolve, did });
      return {
        host: "127.0.0.1",
        port: 1,
        oldest: null,
        renew: () => Promise.resolve(),
        drain: () => {
          did.push("drain");
          return promise;
        },
        abort: () => void did.push("abort"),
      };
    },
  });
  const listening = new Listening(inputs);
  listening.open();
  return { listening, listeners, setRoom: (there: boolean) => room = there };
}

Deno.test("another listener takes the place of one that is worn, once there is room for it", async () => {
  const { listening, listeners, setRoom } = wornStage();
  const did = () => listeners.map(({ did }) => did);
  setRoom(false);
  listeners[0]!.wear();
  assertEquals(did(), [[]], "it serves on");
  setRoom(true);
  for (let tells = 0; tells < 2; tells++) listeners[0]!.wear();
  assertEquals(did(), [["drain"], []]);
  let drained = false;
  const draining = listening.drain().then(() => drained = true);
  listeners[1]!.drained();
  await settled();
  assertEquals(drained, false, "who is there yet is waited for");
  listeners[0]!.drained();
  await draining;
  listeners[1]!.wear();
  assertEquals(did(), [["drain"], ["drain"]]);
});

Deno.test("Listening.abort() cuts what is left of listeners that were worn, too", async () => {
  const { listening, listeners } = wornStage();
  for (let worn = 0; worn < 2; worn++) listeners[worn]!.wear();
  listeners[0]!.drained();
  await settled();
  listening.abort();
  assertEquals(listeners.map(({ did }) => did), [["drain"], ["drain", "abort"], ["abort"]]);
});
