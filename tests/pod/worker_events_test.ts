import { assertEquals } from "@std/assert";
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
    [() => clock.advance(999), null],
    [full, null],
    [() => clock.advance(5_000), null],
    [() => onListening(0), null],
    [() => clock.advance(1_000), "worker 0 serves"],
    [full, "worker 0 does not accept connections: Too many open files"],
    [() => onDied(0, "ended", 100), "worker 0 ended; respawned in 100 ms"],
    [() => onListening(2), "worker 2 serves"],
  ] as const;
  for (const [act] of acts) await act();
  const expected = acts.flatMap(([, text]) => text === null ? [] : [text]);
  assertEquals(events.recent().map(({ text }) => text), expected);
});
