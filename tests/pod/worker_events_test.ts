// What a pod makes of what happens to its workers.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { EventBook } from "../../src/pod/event_book.ts";
import type { Pod } from "../../src/pod/pod.ts";
import { workerEvents } from "../../src/pod/worker_events.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

Deno.test("a worker that cannot listen is told of once for each reason, until it has listened for a second or ends", async () => {
  const clock = new VirtualClock();
  const events = new EventBook(() => 0, () => {});
  const pod = { inputs: { clock, events }, tellReady: () => {}, releasePort: () => {} };
  const { onListening, onNotListening, onDied } = workerEvents(pod as unknown as Pod);
  const full = () => onNotListening(0, "Too many open files");
  const acts = [
    [full, "worker 0 does not accept connections: Too many open files"],
    [full, null],
    [
      () => onNotListening(1, "Too many open files"),
      "worker 1 does not accept connections: Too many open files",
    ],
    [full, null],
    [() => onNotListening(0, "Address in use"), "worker 0 does not accept connections: Address in use"],
    [full, "worker 0 does not accept connections: Too many open files"],
    [() => onListening(0), null],
    [() => onListening(0), null],
    [() => clock.advance(999), null],
    [full, null],
    [() => clock.advance(5_000), null],
    [() => onListening(0), null],
    [() => clock.advance(1_000), "worker 0 serves"],
    [full, "worker 0 does not accept connections: Too many open files"],
    [() => onDied(0, "ended", 100), "worker 0 ended; respawned in 100 ms"],
    [() => onListening(2), "worker 2 serves"],
    [() => onListening(0), "worker 0 serves"],
  ] as const;
  for (const [act] of acts) await act();
  const expected = acts.flatMap(([, text]) => text === null ? [] : [text]);
  assertEquals(events.recent().map(({ text }) => text), expected);
});

/** A pod that notes what it is told to do. */
function notingPod() {
  const did: string[] = [];
  const note = (what: string) => (...details: unknown[]) => void did.push([what, ...details].join(" "));
  const events = new EventBook(() => 0, () => {});
  const pod = {
    inputs: { clock: new VirtualClock(), events, writeLog: note("log"), onFirstWord: note("first word") },
    draining: null as object | null,
    readiness: { leave: note("leave") },
    certificate: { tellProgress: note("certificate") },
    releasePort: note("release port"),
    tellReady: note("tell ready"),
    fail: note("fail"),
  };
  const words = () => events.recent().map(({ text }) => text);
  return { pod, did, words, heard: workerEvents(pod as unknown as Pod) };
}

Deno.test("whatever happens to a worker is told to the probe on the traffic port, and the first words to the banner", () => {
  const { did, heard } = notingPod();
  const acts: [act: () => void, did: string[]][] = [
    [() => heard.onNotListening(0, "no descriptors"), ["first word false", "tell ready"]],
    [() => heard.onDied(1, "threw", 0), ["first word false", "tell ready"]],
    [() => heard.onHung(1, 0, true), ["first word false", "tell ready", "tell ready"]],
    [() => heard.onListening(0), ["release port", "first word true", "tell ready"]],
    [() => heard.onListening(1), ["release port", "tell ready"]],
    [() => heard.onNotListening(0, "no descriptors"), ["tell ready"]],
    [() => heard.onDied(1, "threw", 0), ["tell ready"]],
    [() => heard.onHungThreadEnded(1), ["tell ready"]],
    [() => heard.onApplied(2), ["tell ready"]],
    [() => heard.onCertificateApplied(0), ["certificate"]],
  ];
  for (const [act, expected] of acts) {
    act();
    assertEquals(did.splice(0), expected);
  }
});

Deno.test("a worker that hangs makes a pod leave that is to exit, and one that leaves anyway or stays go on", () => {
  const hangs = "worker 1 hangs, with 3 requests: its event loop does not turn any more; ";
  for (
    const [replaced, draining, did, then] of [
      [false, null, ["leave", "fail worker 1 hangs", "tell ready"], "this process leaves with exit code 1"],
      [false, {}, ["tell ready"], "it is not waited for, as this process leaves"],
      [true, null, ["tell ready"], "it is replaced, but its share of new connections hangs"],
    ] as const
  ) {
    const scene = notingPod();
    scene.pod.draining = draining;
    scene.heard.onListening(1);
    scene.did.length = 0;
    scene.heard.onHung(1, 3, replaced);
    assertEquals(scene.did.slice(1), [...did]);
    assertStringIncludes(scene.words().at(-1)!, hangs + then);
    scene.heard.onHungThreadEnded(1);
    assertEquals(scene.words().at(-1), "the thread of worker 1 that hung has ended after all");
  }
});
