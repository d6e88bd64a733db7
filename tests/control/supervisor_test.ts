import { assertEquals } from "@std/assert";
import { Board, DEFAULT_CAPACITY } from "../../src/board/layout.ts";
import { Supervisor } from "../../src/control/supervisor.ts";
import type { WorkerStart } from "../../src/messages.ts";
import { VirtualClock } from "./virtual_clock.ts";

const HOUR_MS = 3_600_000;

/** Says that it listens when it is started, and dies of the next message. */
const MORTAL = `
  onmessage = ({ data }) => {
    if (data.kind !== "start") throw new Error("dies");
    postMessage({ kind: "listening", host: "", port: 0 });
  };
  postMessage({ kind: "loaded", lifeline: crypto.randomUUID() });
`;

Deno.test("Supervisor waits longer for each death of a worker, but for one that had served for long", async () => {
  const clock = new VirtualClock();
  let listening = Promise.withResolvers<void>();
  let died = Promise.withResolvers<number>();
  const ignore = () => {};
  const supervisor = new Supervisor({
    board: Board.create({ ...DEFAULT_CAPACITY, columnsMax: 8 }),
    clock,
    workers: 1,
    moduleUrl: new URL(`data:application/javascript,${encodeURIComponent(MORTAL)}`),
    makeStart: () => ({}) as WorkerStart,
    whenWorkerHangs: () => "stay",
    // These workers have no heartbeat.
    tickMs: Infinity,
    events: {
      onListening: () => listening.resolve(),
      onDied: (_index, _reason, respawnMs) => died.resolve(respawnMs),
      onNotListening: ignore,
      onHung: ignore,
      onHungThreadEnded: ignore,
      onFailed: ignore,
      onLog: ignore,
      onApplied: ignore,
      onCertificateApplied: ignore,
    },
  });
  supervisor.start();
  const waits: number[] = [];
  for (const servedMs of [0, 0, 0, HOUR_MS, 0, HOUR_MS, HOUR_MS]) {
    await listening.promise;
    await clock.advance(servedMs);
    listening = Promise.withResolvers();
    supervisor.broadcast({ kind: "leave" });
    const respawnMs = await died.promise;
    died = Promise.withResolvers();
    waits.push(respawnMs);
    await clock.advance(respawnMs);
  }
  supervisor.stop();
  assertEquals(waits, [0, 100, 200, 0, 100, 0, 0]);
});
