import { assertEquals } from "@std/assert";
import { EventBook } from "../../src/pod/event_book.ts";
import type { Pod } from "../../src/pod/pod.ts";
import { workerEvents } from "../../src/pod/worker_events.ts";

Deno.test("a worker that cannot listen is told of once for each reason, until it listens again or ends", () => {
  const events = new EventBook(() => 0, () => {});
  const pod = { inputs: { events }, tellReady: () => {}, releasePort: () => {} };
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
    [() => onListening(0), "worker 0 serves"],
    [full, "worker 0 does not accept connections: Too many open files"],
    [() => onDied(0, "ended", 100), "worker 0 ended; respawned in 100 ms"],
    [full, "worker 0 does not accept connections: Too many open files"],
  ] as const;
  for (const [act] of acts) act();
  const expected = acts.flatMap(([, text]) => text === null ? [] : [text]);
  assertEquals(events.recent().map(({ text }) => text), expected);
});
