import { assertEquals } from "@std/assert";
import { Board, ColumnCell, DEFAULT_CAPACITY } from "../../src/board/layout.ts";
import { Supervisor, type SupervisorEvents } from "../../src/control/supervisor.ts";
import type { WorkerStart } from "../../src/messages.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const HOUR_MS = 3_600_000;

/** Says that it listens when it is started, and dies of the next message. */
const MORTAL = `
  onmessage = ({ data }) => {
    if (data.kind !== "start") throw new Error("dies");
    postMessage({ kind: "listening", host: "", port: 0 });
  };
  postMessage({ kind: "loaded", lifeline: crypto.randomUUID() });
`;

/** Answers each question with how many wait for an answer by then. */
const ANSWERING = `
  let waiting = 0;
  onmessage = ({ data }) => {
    if (data.kind === "start") return postMessage({ kind: "listening", host: "", port: 0 });
    waiting++;
    setTimeout(() => postMessage({ kind: "answer", id: data.id, answer: waiting-- }), 0);
  };
  postMessage({ kind: "loaded", lifeline: crypto.randomUUID() });
`;

/** One worker, with what its supervisor hears of it. */
function stage(heard: Pick<SupervisorEvents, "onListening" | "onDied">, script = MORTAL) {
  const clock = new VirtualClock();
  const board = Board.create({ ...DEFAULT_CAPACITY, columnsMax: 8 });
  const ignore = () => {};
  const supervisor = new Supervisor({
    board,
    clock,
    workers: 1,
    moduleUrl: new URL(`data:application/javascript,${encodeURIComponent(script)}`),
    makeStart: () => ({}) as WorkerStart,
    whenWorkerHangs: () => "stay",
    hasThreadRoom: () => true,
    // These workers have no heartbeat.
    tickMs: Infinity,
    events: {
      ...heard,
      onNotListening: ignore,
      onHung: ignore,
      onHungThreadEnded: ignore,
      onFailed: ignore,
      onLog: ignore,
      onApplied: ignore,
      onCertificateApplied: ignore,
    },
  });
  return { clock, board, supervisor };
}

Deno.test("Supervisor waits longer for each death of a worker, but for one that had served for long", async () => {
  let listening = Promise.withResolvers<void>();
  let died = Promise.withResolvers<number>();
  const { clock, supervisor } = stage({
    onListening: () => listening.resolve(),
    onDied: (_index, _reason, respawnMs) => died.resolve(respawnMs!),
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

Deno.test("Supervisor.drain() counts the requests of a worker that dies meanwhile as cut", async () => {
  const listening = Promise.withResolvers<void>();
  const respawns: (number | null)[] = [];
  const { board, supervisor } = stage({
    onListening: () => listening.resolve(),
    onDied: (_index, _reason, respawnMs) => respawns.push(respawnMs),
  });
  supervisor.start();
  await listening.promise;
  const { column } = supervisor.handles[0]!;
  Atomics.add(board.int32, board.layout.columnCell(column!, ColumnCell.inFlight), 2);
  assertEquals([await supervisor.drain(1_000), respawns], [2, [null]]);
  supervisor.stop();
});

Deno.test("Supervisor.ask() asks a worker one question at a time, however many come at once", async () => {
  const listening = Promise.withResolvers<void>();
  const { clock, supervisor } = stage(
    { onListening: () => listening.resolve(), onDied: () => {} },
    ANSWERING,
  );
  supervisor.start();
  await listening.promise;
  const asked = ["a", "b", "c"].map((requestId) => supervisor.ask({ kind: "explainId", requestId }));
  const waiting: unknown[] = await Promise.all(asked);
  assertEquals([waiting, clock.waiting], [[[1], [1], [1]], 1], "of what it waits for only the tick is left");
  supervisor.stop();
});
