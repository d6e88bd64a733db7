// Workers that hang, begin late, answer late or drain, as the supervisor hears and tells of them.

import { assertEquals } from "@std/assert";
import { LinePages } from "../../src/board/line_pages.ts";
import { Board, ColumnCell, DEFAULT_CAPACITY } from "../../src/board/layout.ts";
import { Supervisor, type SupervisorInputs } from "../../src/control/supervisor.ts";
import type { Answer, FromWorker, Question, Snapshot, WorkerStart } from "../../src/messages.ts";
import { until } from "../support/until.ts";
import { EPOCH, VirtualClock } from "../support/virtual_clock.ts";

/**
 * Listens once it is started, unless it begins to leave then: it dies of that. Of every other message it says that it has
 * come, and obeys if its index is even. It tells whatever a snapshot holds, and dies of a certificate.
 */
const OBEDIENT = `
  const index = Number(name.replace("weir-", ""));
  onmessage = ({ data }) => {
    if (data.kind === "start" && !data.leaving) return postMessage({ kind: "listening", host: "", port: 0 });
    if (data.kind === "start" || data.kind === "certificate") throw new Error("dies of it");
    if (data.kind === "snapshot") for (const told of data.snapshot) postMessage(told);
    const obeys = index % 2 === 0;
    if (obeys && data.kind === "ask") postMessage({ kind: "answer", id: data.id, answer: index });
    postMessage({ kind: "failed", reason: data.kind });
    if (obeys && data.kind === "drain") postMessage({ kind: "drained", cut: 3 });
  };
  const lifeline = crypto.randomUUID();
  navigator.locks.request(lifeline, () => {
    postMessage({ kind: "loaded", lifeline });
    return new Promise(() => {});
  });
`;

/** Workers whose hearts a test beats, and what their supervisor tells of them. */
class Stage implements Disposable {
  readonly clock = new VirtualClock();
  readonly board = Board.create({ ...DEFAULT_CAPACITY, columnsMax: 8 });
  readonly told: string[] = [];
  readonly supervisor: Supervisor;
  #changed = Promise.withResolvers<void>();

  constructor(
    workers: number,
    whenWorkerHangs: "exit" | "stay" = "exit",
    more: Partial<SupervisorInputs> = {},
  ) {
    const tell = (what: string) => (...details: unknown[]) => {
      this.told.push([what, ...details].join(" "));
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    };
    this.supervisor = new Supervisor({
      board: this.board,
      clock: this.clock,
      workers,
      moduleUrl: new URL(`data:application/javascript,${encodeURIComponent(OBEDIENT)}`),
      makeStart: () => ({}) as WorkerStart,
      whenWorkerHangs: () => whenWorkerHangs,
      hasThreadRoom: () => true,
      ...more,
      events: {
        onListening: tell("listens"),
        onNotListening: tell("does not listen"),
        onDied: tell("died"),
        onHung: tell("hung"),
        onHungThreadEnded: tell("ended after all"),
        onFailed: tell("heard"),
        onLog: tell("log"),
        onApplied: tell("applied"),
        onCertificateApplied: tell("certificate"),
      },
    });
  }

  /** What was told since the last time, once it is so much. */
  async tells(count: number): Promise<string[]> {
    while (this.told.length < count) await this.#changed.promise;
    return this.told.splice(0).sort();
  }

  /** Adds to a figure of a worker. */
  add(index: number, cell: number, count: number): void {
    const { column } = this.supervisor.handles[index]!;
    Atomics.add(this.board.int32, this.board.layout.columnCell(column!, cell), count);
  }

  /** Lets every worker say what a test wants. */
  async say(...told: FromWorker[]): Promise<void> {
    this.supervisor.broadcast({ kind: "snapshot", snapshot: told as unknown as Snapshot });
    while (this.told.filter((what) => what.startsWith("heard")).length < this.supervisor.handles.length) {
      await this.#changed.promise;
    }
    this.told.length = 0;
  }

  kill(): void {
    this.supervisor.broadcast({ kind: "certificate", certificate: { cert: "", key: "", fingerprint: "" } });
  }

  beat(index: number): void {
    this.add(index, ColumnCell.heartbeat, 1);
  }

  [Symbol.dispose](): void {
    this.supervisor.stop();
  }
}

const BEAT_MS = 500;
const HOUR_MS = 3_600_000;

Deno.test("Supervisor gives log lines their memory back once they are told", async () => {
  using stage = new Stage(1);
  stage.supervisor.start();
  await stage.tells(1);
  const pages = new LinePages(8);
  const lines = pages.lend(new Uint8Array([97, 10]));
  stage.supervisor.broadcast({ kind: "snapshot", snapshot: [{ kind: "log", lines }] as unknown as Snapshot });
  assertEquals(await stage.tells(2), ["heard 0 snapshot", "log 97,10"]);
  assertEquals(pages.lend(new Uint8Array(1)).buffer === lines.buffer, true);
});

Deno.test("Supervisor hears all that a worker has logged before it threw, however much that is", async () => {
  using stage = new Stage(1);
  stage.supervisor.start();
  await stage.tells(1);
  const logged = new Array(200).fill({ kind: "log", lines: new Uint8Array([97, 10]) });
  stage.supervisor.broadcast({ kind: "snapshot", snapshot: logged as unknown as Snapshot });
  stage.kill();
  const heard = () => stage.told.filter((what) => what === "log 97,10").length;
  await until("all is heard", () => heard() === logged.length);
  await stage.clock.advance(BEAT_MS);
  assertEquals(stage.supervisor.handles[0]!.restarts, 1);
});

Deno.test("Supervisor gives up a worker whose heart stands still for ten seconds, and waits for it no longer", async () => {
  using stage = new Stage(2);
  stage.supervisor.start();
  assertEquals(await stage.tells(2), ["listens 0", "listens 1"]);
  stage.add(1, ColumnCell.inFlight, 4);
  stage.beat(1);
  const ticks = async (count: number) => {
    for (let tick = 0; tick < count; tick++) {
      // Cores are scarce: now and then a beat is late.
      if (tick % 3 !== 0) stage.beat(0);
      await stage.clock.advance(BEAT_MS);
    }
  };
  await ticks(20);
  assertEquals(stage.told, []);
  assertEquals(stage.supervisor.handles.map(({ stalledMs }) => stalledMs), [0, 19 * BEAT_MS]);
  await ticks(1);
  // Its thread could be ended, which is more than can be said of one that loops.
  assertEquals(await stage.tells(2), ["ended after all 1", "hung 1 4 false"]);
  await ticks(300);
  const { alive, state, restarts, hangs, hungThreads, stalledMs } = stage.supervisor.handles[1]!;
  assertEquals([stage.told, alive, state, restarts, hangs, hungThreads], [[], false, "hung", 0, 1, 0]);
  assertEquals(stalledMs, 20 * BEAT_MS);
  assertEquals(stage.board.podInFlight(), 0, "nobody is at its requests any more");
  assertEquals(await stage.supervisor.drain(1_000), 3 + 4, "what it was at is cut");
});

Deno.test("Supervisor takes back by the next tick what a worker wrote between its death and its end", async () => {
  using stage = new Stage(1);
  stage.supervisor.start();
  await stage.tells(1);
  stage.add(0, ColumnCell.inFlight, 1);
  stage.kill();
  await stage.tells(1);
  stage.add(0, ColumnCell.inFlight, 1);
  await stage.clock.advance(BEAT_MS);
  assertEquals(stage.board.podInFlight(), 0);
});

Deno.test("Supervisor fills the place of a worker that hangs where the pod is to stay", async () => {
  using stage = new Stage(1, "stay");
  stage.supervisor.start();
  await stage.tells(1);
  stage.beat(0);
  await stage.clock.advance(21 * BEAT_MS);
  await stage.clock.advance(0);
  assertEquals(await stage.tells(4), ["died 0 hung 0", "ended after all 0", "hung 0 0 true", "listens 0"]);
  const { state, restarts, hangs, stalledMs } = stage.supervisor.handles[0]!;
  assertEquals([state, restarts, hangs, stalledMs], ["serving", 1, 1, 0]);
});

Deno.test("Supervisor ends a drain when the last worker hangs", async () => {
  using stage = new Stage(2, "stay");
  stage.supervisor.start();
  await stage.tells(2);
  stage.beat(0);
  stage.beat(1);
  stage.add(1, ColumnCell.inFlight, 2);
  let cut: number | undefined;
  const draining = stage.supervisor.drain(20_000).then((count) => cut = count);
  assertEquals(await stage.tells(2), ["heard 0 drain", "heard 1 drain"]);
  await until("the first one has drained", () => stage.supervisor.handles[0]!.state === "drained");
  await stage.clock.advance(20 * BEAT_MS);
  assertEquals(cut, undefined);
  await stage.clock.advance(BEAT_MS);
  await draining;
  assertEquals([cut, await stage.tells(2)], [5, ["ended after all 1", "hung 1 2 false"]]);
});

Deno.test("Supervisor.drain() waits three seconds beyond its deadline for a worker that says nothing", async () => {
  using stage = new Stage(2, "stay", { tickMs: Infinity });
  stage.supervisor.start();
  await stage.tells(2);
  stage.add(1, ColumnCell.inFlight, 2);
  let cut: number | undefined;
  void stage.supervisor.drain(1_000).then((count) => cut = count);
  await stage.tells(2);
  await until("the first one has drained", () => stage.supervisor.handles[0]!.state === "drained");
  await stage.clock.advance(3_999);
  assertEquals(cut, undefined);
  await stage.clock.advance(1);
  await until("the drain is over", () => cut !== undefined);
  assertEquals(cut, 3 + 2);
});

Deno.test("Supervisor.drain() waits for no place without a worker that serves, and fills none", async () => {
  using stage = new Stage(1, "exit", { tickMs: Infinity });
  const { supervisor, clock } = stage;
  supervisor.start();
  await stage.tells(1);
  stage.kill();
  await stage.tells(1);
  assertEquals(await supervisor.drain(1_000), 0, "it was to be filled again in a moment");
  await clock.advance(60_000);
  assertEquals([supervisor.handles[0]!.alive, stage.told], [false, []]);

  using loading = new Stage(1, "exit", { tickMs: Infinity });
  loading.supervisor.start();
  assertEquals(await loading.supervisor.drain(1_000), 0, "it has heard of nothing yet");
});

Deno.test("Supervisor gives a worker two minutes to begin, and begins with another then", async () => {
  using stage = new Stage(1);
  stage.supervisor.start();
  await stage.tells(1);
  await stage.clock.advance(119_500);
  assertEquals(stage.told, []);
  await stage.clock.advance(500);
  await stage.clock.advance(0);
  assertEquals(await stage.tells(2), ["died 0 did not begin to work 0", "listens 0"]);
  await stage.clock.advance(119_500);
  assertEquals(stage.told, [], "the other one has as long");
});

Deno.test("an hour of service counts no more once a worker has stopped listening, nor for its successor", async () => {
  let broken = false;
  const makeStart = () => ({ leaving: broken }) as WorkerStart;
  using stage = new Stage(1, "exit", { tickMs: Infinity, makeStart });
  const respawnMs = async () => {
    const ms = Number((await stage.tells(1))[0]!.split(" ").at(-1));
    await stage.clock.advance(ms);
    return ms;
  };
  stage.supervisor.start();
  await stage.tells(1);
  stage.kill();
  assertEquals(await respawnMs(), 0);
  await stage.tells(1);
  await stage.clock.advance(HOUR_MS);
  await stage.say({ kind: "notListening", reason: "no descriptors" });
  stage.kill();
  assertEquals(await respawnMs(), 100);
  await stage.tells(1);
  await stage.clock.advance(HOUR_MS);
  broken = true;
  stage.kill();
  assertEquals([await respawnMs(), await respawnMs(), await respawnMs()], [0, 100, 200]);
});

Deno.test("Supervisor.stop() plans nothing more, and a worker that was to come back does not", async () => {
  const stage = new Stage(1);
  stage.supervisor.start();
  await stage.tells(1);
  stage.kill();
  await stage.tells(1);
  stage.supervisor.stop();
  await stage.clock.advance(HOUR_MS);
  assertEquals([stage.supervisor.handles[0]!.alive, stage.told, stage.clock.waiting], [false, [], 0]);
});

Deno.test("a worker may use the network, and nothing else", async () => {
  const names = ["read", "write", "env", "run", "sys", "ffi", "net"];
  const script = `
    const granted = ${
    JSON.stringify(names)
  }.filter((name) => Deno.permissions.querySync({ name }).state === "granted");
    postMessage({ kind: "failed", reason: granted.join() });
  `;
  using stage = new Stage(1, "exit", {
    moduleUrl: new URL(`data:application/javascript,${encodeURIComponent(script)}`),
  });
  stage.supervisor.start();
  assertEquals(await stage.tells(1), ["heard 0 net"]);
});

Deno.test("Supervisor.ask() leaves out who does not answer within a second", async () => {
  using stage = new Stage(3, "exit", { tickMs: Infinity });
  assertEquals(await stage.supervisor.ask({} as Question), [], "nobody is there yet");
  stage.supervisor.start();
  await stage.tells(3);
  let answers: Answer[] | undefined;
  const asking = stage.supervisor.ask({} as Question).then((all) => answers = all);
  assertEquals(await stage.tells(3), ["heard 0 ask", "heard 1 ask", "heard 2 ask"]);
  await stage.clock.advance(999);
  assertEquals(answers, undefined);
  await stage.clock.advance(1);
  await asking;
  assertEquals<unknown>(answers, [0, 2]);
});

Deno.test("a worker's place says how its incarnation is doing, and nothing of the one before", async () => {
  using stage = new Stage(2, "exit", { tickMs: Infinity });
  const { supervisor, clock } = stage;
  const place = supervisor.handles[1]!;
  const now = () => [place.state, place.reason, place.since - EPOCH, place.serving];
  assertEquals([...now(), supervisor.appliedVersion()], ["starting", null, 0, false, 0]);
  supervisor.start();
  await stage.tells(2);
  const listening = { kind: "listening", host: "", port: 0 } as const;
  const full = { kind: "notListening", reason: "no descriptors" } as const;
  assertEquals([...now(), supervisor.servingCount], ["serving", null, 0, true, 2]);
  await clock.advance(10);
  await stage.say({ kind: "applied", version: 7 }, { kind: "certificateApplied", fingerprint: "AB" }, full);
  assertEquals([...now(), supervisor.servingCount], ["notListening", "no descriptors", 10, false, 0]);
  assertEquals([supervisor.appliedVersion(), place.certificate], [7, "AB"]);
  await clock.advance(10);
  await stage.say(listening);
  assertEquals(now(), ["serving", null, 20, true]);

  stage.kill();
  const words = "threw: Uncaught Error: dies of it 0";
  assertEquals(await stage.tells(2), [`died 0 ${words}`, `died 1 ${words}`]);
  const died = [place.state, place.serving, place.alive, place.restarts, supervisor.appliedVersion()];
  assertEquals(died, ["restarting", false, false, 1, 0]);
  await clock.advance(0);
  assertEquals([place.state, place.applied, place.certificate], ["restarting", 0, ""]);
  await stage.tells(2);
  assertEquals(now(), ["serving", null, 20, true]);

  const draining = supervisor.drain(1_000);
  await stage.tells(2);
  for (const word of [listening, full]) {
    // Only the second one is there to say it.
    supervisor.broadcast({ kind: "snapshot", snapshot: [word] as unknown as Snapshot });
    await stage.tells(2);
    assertEquals([place.state, place.serving], ["draining", true]);
  }
  stage.kill();
  assertEquals(await draining, 3);
});

Deno.test("a worker waits for room to start its thread in", async () => {
  let room = false;
  using stage = new Stage(1, "exit", { hasThreadRoom: () => room });
  stage.supervisor.start();
  await stage.clock.advance(5_000);
  assertEquals(stage.supervisor.handles[0]!.column, null);
  room = true;
  await stage.clock.advance(500);
  assertEquals(await stage.tells(1), ["listens 0"]);
});
