import { assert, assertEquals } from "@std/assert";
import { Bell } from "../../src/board/bell.ts";
import type { Board } from "../../src/board/layout.ts";
import { OwnColumn } from "../../src/board/own.ts";
import { Verdicts } from "../../src/board/verdicts.ts";
import { type Claim, type NoLease, PendingQueue, type Waiter } from "../../src/proxy/pending_queue.ts";
import type { Endpoint } from "../../src/upstream/endpoint.ts";
import type { Lease } from "../../src/upstream/lease.ts";
import type { StillTime } from "../support/still_time.ts";
import { twoWorkers } from "../support/two_workers.ts";

const ROW = 0;

/** A wait on shared memory does not keep an event loop alive, as a server's listener does. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test(name, async () => {
    const alive = setInterval(() => {}, 1_000);
    await fn().finally(() => clearInterval(alive));
  });
}

/** A waiter whose claims come to what the script says, one after the other. */
function scripted(...claims: Claim[]) {
  return {
    particular: false,
    waitsFor: null,
    asked: 0,
    claim(): Claim {
      return claims[this.asked++]!;
    },
  };
}

/** Whatever is under way by promises alone is done. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** Two workers of one pod over one endpoint with room for `inFlightMax`, in virtual time. */
class Stage {
  readonly board: Board;
  readonly time: StillTime;
  readonly workers: { endpoint: Endpoint; queue: PendingQueue }[];

  constructor(inFlightMax: number, readonly queueMax = 100) {
    const { board, clock, first, second } = twoWorkers({
      limits: { inFlightPerEndpointMax: inFlightMax },
    });
    this.board = board;
    this.time = clock;
    this.workers = [first, second].map((endpoint, i) => ({
      endpoint,
      queue: new PendingQueue(new OwnColumn(board, i + 1), ROW, clock.wheel),
    }));
  }

  waiter(worker: number, particular = false): Waiter {
    const { endpoint } = this.workers[worker]!;
    return { particular, waitsFor: null, claim: (): Claim => endpoint.lease() ?? "full" };
  }

  wait(worker: number, waiter = this.waiter(worker)): Promise<Lease | NoLease> {
    return this.workers[worker]!.queue.wait(waiter, { queueMax: this.queueMax, timeoutMs: 1_000 });
  }

  lease(worker: number): Lease {
    const lease = this.workers[worker]!.endpoint.lease();
    assert(lease !== null);
    return lease;
  }
}

test("PendingQueue looks once whenever the bell rings, however many wait", async () => {
  const stage = new Stage(1);
  const full = () => scripted(...Array<Claim>(20).fill("full"));
  const waiters = Array.from({ length: 5 }, full);
  const waiting = waiters.map((waiter) => stage.wait(0, waiter));
  const asked = () => waiters.reduce((sum, waiter) => sum + waiter.asked, 0);
  await turn();
  const before = asked();
  new Bell(stage.board, ROW).ring();
  await turn();
  // The first in line has no place, so nobody behind it has one.
  assertEquals(asked() - before, 1);
  for (const waiter of waiters) stage.workers[0]!.queue.leave(waiter);
  await Promise.all(waiting);
});

test("PendingQueue.wait() gives the place that another worker makes", async () => {
  const stage = new Stage(1);
  const held = stage.lease(0);
  const waiting = stage.wait(1);
  assertEquals(stage.board.upstreamWaiting(ROW), 1);
  held.release(true);
  const lease = await waiting as Lease;
  assertEquals([stage.board.upstreamWaiting(ROW), stage.board.endpointInFlight(0)], [0, 1]);
  lease.release(true);
});

test("PendingQueue.wait() serves those that came first first", async () => {
  const stage = new Stage(1);
  const held = stage.lease(0);
  const order: number[] = [];
  const done = [1, 2, 3].map((n) =>
    stage.wait(0).then((lease) => {
      order.push(n);
      (lease as Lease).release(true);
    })
  );
  held.release(true);
  await Promise.all(done);
  assertEquals(order, [1, 2, 3]);
});

test("PendingQueue.wait() lets others pass one that may not go everywhere", async () => {
  const stage = new Stage(1);
  const held = stage.lease(0);
  const stuck = { particular: true, waitsFor: null, claim: (): Claim => "full" };
  const first = stage.wait(0, stuck);
  const second = stage.wait(0);
  held.release(true);
  (await second as Lease).release(true);
  stage.workers[0]!.queue.leave(stuck);
  assertEquals(await first, "clientGone");
});

test("PendingQueue.letsPass() leaves room that those who wait may not take to whoever comes", async () => {
  const stage = new Stage(1, 1);
  const stuck = { particular: true, waitsFor: null, claim: (): Claim => "full" };
  const first = stage.wait(0, stuck);
  const { queue } = stage.workers[0]!;
  assertEquals([queue.letsPass(), await stage.wait(0)], [true, "queueFull"]);
  queue.leave(stuck);
  assertEquals([await first, stage.board.upstreamWaiting(ROW)], ["clientGone", 0]);
});

test("PendingQueue.letsPass() gives what room there is to those who wait", async () => {
  const stage = new Stage(1);
  const held = stage.lease(0);
  const first = stage.wait(0);
  held.release(true);
  assertEquals([stage.workers[0]!.queue.letsPass(), stage.board.endpointInFlight(0)], [true, 1]);
  (await first as Lease).release(true);
});

test("PendingQueue.letsPass() leaves nothing where one waits that may go everywhere", async () => {
  const stage = new Stage(1);
  const [first, second] = [scripted("full", "full", "full", "noEndpoint"), scripted("clientGone")];
  const waiting = [stage.wait(0, first), stage.wait(0, second)];
  const { queue } = stage.workers[0]!;
  assertEquals([queue.letsPass(), second.asked], [false, 0]);
  assertEquals([queue.letsPass(), stage.workers[1]!.queue.letsPass()], [true, true]);
  assertEquals(await Promise.all(waiting), ["noEndpoint", "clientGone"]);
});

test("PendingQueue asks one for all that wait for the same endpoint, and looks at no other, however many do", async () => {
  const stage = new Stage(1, 3_000);
  const { queue, endpoint } = stage.workers[0]!;
  const endpoints = [endpoint, stage.workers[1]!.endpoint];
  let asked = 0;
  let looks = 0;
  const waiters = Array.from({ length: 3_000 }, (_, i) => ({
    claim(): Claim {
      asked++;
      return "full";
    },
    get particular() {
      looks++;
      return true;
    },
    get waitsFor() {
      looks++;
      return endpoints[i % 2]!;
    },
  }));
  const waiting = waiters.map((waiter) => stage.wait(0, waiter));
  await turn();
  asked = looks = 0;
  new Bell(stage.board, ROW).ring();
  await turn();
  assertEquals([asked, looks <= 4], [2, true]);
  assertEquals([queue.letsPass(), asked, looks <= 8], [true, 4, true]);
  for (const waiter of waiters) queue.leave(waiter);
  assertEquals([new Set(await Promise.all(waiting)), queue.size], [new Set(["clientGone"]), 0]);
});

test("PendingQueue asks one for all that turn out to wait for the same endpoint once they are asked", async () => {
  const stage = new Stage(1);
  const { queue, endpoint } = stage.workers[0]!;
  const before = scripted("full", "full", "full", "full", "clientGone");
  const waiting = [stage.wait(0, before)];
  let asked = 0;
  const waiters = Array.from({ length: 3 }, () => ({
    particular: false,
    waitsFor: null as Endpoint | null,
    claim(): Claim {
      asked++;
      this.waitsFor = endpoint;
      this.particular = true;
      return "full";
    },
  }));
  waiting.push(...waiters.map((waiter) => stage.wait(0, waiter)));
  assertEquals([asked, queue.letsPass(), asked, queue.letsPass(), asked], [0, true, 3, true, 4]);
  for (const waiter of waiters) queue.leave(waiter);
  await Promise.all(waiting);
});

test("PendingQueue gives all the room of an endpoint to those that wait for it, in their order", async () => {
  const stage = new Stage(2);
  const { queue, endpoint } = stage.workers[0]!;
  const held = [stage.lease(0), stage.lease(0)];
  const order: number[] = [];
  const waiting = [1, 2, 3].map(async (n) => {
    const lease = await stage.wait(0, { ...stage.waiter(0, true), waitsFor: endpoint }) as Lease;
    order.push(n);
    return lease;
  });
  for (const lease of held) lease.release(true);
  const served = await Promise.all(waiting.slice(0, 2));
  assertEquals([order, queue.size], [[1, 2], 1]);
  served[0]!.release(true);
  (await waiting[2]!).release(true);
  served[1]!.release(true);
});

test("PendingQueue.wait() asks one that joins those that wait at once, if none of them may come first", async () => {
  const stage = new Stage(1);
  const stuck = { particular: true, waitsFor: null, claim: (): Claim => "full" };
  const first = stage.wait(0, stuck);
  const second = stage.wait(0);
  assertEquals([stage.workers[0]!.queue.size, stage.board.endpointInFlight(0)], [1, 1]);
  (await second as Lease).release(true);
  stage.workers[0]!.queue.leave(stuck);
  assertEquals(await first, "clientGone");
});

test("PendingQueue.wait() asks nobody behind one that may go everywhere and finds no room", async () => {
  const stage = new Stage(1);
  const [first, second] = [scripted("full", "full", "noEndpoint"), scripted("clientGone")];
  const waiting = [stage.wait(0, first), stage.wait(0, second)];
  assertEquals(second.asked, 0);
  stage.workers[0]!.queue.poke();
  assertEquals(await Promise.all(waiting), ["noEndpoint", "clientGone"]);
});

const givingUp: Record<string, (stage: Stage, waiter: Waiter) => unknown> = {
  "whose client leaves": ({ workers }, waiter) => workers[0]!.queue.leave(waiter),
  "that waits for too long": ({ time }) => time.pass(600),
};

for (const [who, giveUp] of Object.entries(givingUp)) {
  test(`PendingQueue asks those behind one that may go everywhere and ${who}`, async () => {
    const stage = new Stage(1);
    const before = scripted("full", "full");
    const waiting = stage.wait(0, before);
    stage.time.pass(500);
    const behind = { ...scripted("noEndpoint"), particular: true };
    const next = stage.wait(0, behind);
    assertEquals(behind.asked, 0);
    giveUp(stage, before);
    assertEquals([stage.workers[0]!.queue.size, behind.asked], [0, 1]);
    await Promise.all([waiting, next]);
  });
}

test("PendingQueue.leave() takes out the one that left, and nobody when it waits no longer", async () => {
  const stage = new Stage(1);
  const held = stage.lease(0);
  const { queue } = stage.workers[0]!;
  const [gone, served] = [stage.waiter(0), stage.waiter(0)];
  const waiting = [stage.wait(0, gone), stage.wait(0, served)];
  queue.leave(gone);
  queue.leave(gone);
  assertEquals([queue.size, stage.board.upstreamWaiting(ROW)], [1, 1]);
  held.release(true);
  assertEquals(await waiting[0], "clientGone");
  (await waiting[1] as Lease).release(true);
});

test("PendingQueue.wait() gives one that waits for the second time all of its time again", async () => {
  const stage = new Stage(1);
  const waiter = scripted("full", "noEndpoint", "full", "full");
  const { queue } = stage.workers[0]!;
  const first = stage.wait(0, waiter);
  stage.time.pass(900);
  queue.poke();
  assertEquals(await first, "noEndpoint");
  const second = stage.wait(0, waiter);
  stage.time.pass(900);
  assertEquals(queue.size, 1);
  stage.time.pass(110);
  assertEquals(await second, "queueTimeout");
});

test("PendingQueue.wait() is woken again after nobody waited for a while", async () => {
  const stage = new Stage(1);
  for (let round = 0; round < 3; round++) {
    const held = stage.lease(0);
    const waiting = stage.wait(0);
    held.release(true);
    (await waiting as Lease).release(true);
    await turn();
  }
});

test("PendingQueue.wait() asks again when room was made while it asked", async () => {
  const stage = new Stage(1);
  const bell = new Bell(stage.board, ROW);
  const waiter = scripted("full", "noEndpoint");
  const claim = () => {
    bell.ring();
    return waiter.claim();
  };
  const waiting = stage.wait(0, { ...waiter, claim });
  await turn();
  assertEquals([stage.workers[0]!.queue.size, waiter.asked], [0, 2]);
  assertEquals(await waiting, "noEndpoint");
});

test("PendingQueue.wait() counts over all workers and refuses what is too much", async () => {
  const stage = new Stage(1, 2);
  const held = stage.lease(0);
  const waiting = [stage.wait(0), stage.wait(1)];
  assertEquals([await stage.wait(0), await stage.wait(1)], ["queueFull", "queueFull"]);
  assertEquals(stage.board.upstreamWaiting(ROW), 2);
  held.release(true);
  for (const lease of waiting) (await lease as Lease).release(true);
});

test("PendingQueue.wait() ends after its time, and whoever comes next is looked at", async () => {
  const stage = new Stage(1);
  const held = stage.lease(0);
  const late = stage.wait(0);
  stage.time.pass(2_000);
  assertEquals(await late, "queueTimeout");
  const next = stage.wait(0);
  held.release(true);
  (await next as Lease).release(true);
  assertEquals(stage.board.upstreamWaiting(ROW), 0);
});

test("PendingQueue.wait() looks again when a verdict changed", async () => {
  const stage = new Stage(1);
  const held = stage.lease(0);
  let usable = false;
  const waiting = stage.wait(0, {
    particular: false,
    waitsFor: null,
    claim: (): Claim => usable ? "noEndpoint" : "full",
  });
  usable = true;
  new Verdicts(stage.board).write(ROW, 0, 0, 1_000);
  assertEquals(await waiting, "noEndpoint");
  held.release(true);
});

test("PendingQueue.poke() has those in other workers look again, and rings for nobody", async () => {
  const stage = new Stage(1);
  const [first, second] = stage.workers;
  const bell = new Bell(stage.board, ROW);
  first!.queue.poke();
  assertEquals(bell.count, 0);
  const waiting = stage.wait(1, scripted("full", "noEndpoint"));
  first!.queue.poke();
  assertEquals(bell.count, 1);
  assertEquals([await waiting, second!.queue.size], ["noEndpoint", 0]);
});

test("a limit is never exceeded and nobody is left waiting, however two workers race", async () => {
  const stage = new Stage(7);
  let most = 0;
  let served = 0;
  const request = async (worker: number) => {
    const { endpoint } = stage.workers[worker]!;
    const lease = endpoint.lease() ?? await stage.wait(worker) as Lease;
    most = Math.max(most, stage.board.endpointInFlight(0));
    for (let turns = served % 5; turns > 0; turns--) await Promise.resolve();
    served++;
    lease.release(true);
  };
  await Promise.all(Array.from({ length: 100 }, (_, i) => request(i % 2)));
  assertEquals([served, most, stage.board.endpointInFlight(0)], [100, 7, 0]);
});

test("a place that two claims withdrew from is given to the one that waits", async () => {
  const stage = new Stage(1);
  const { board } = stage;
  const other = board.layout.endpointInFlightCell(0, 2);
  Atomics.add(board.int32, other, 1);
  const waiting = stage.wait(0);
  Atomics.sub(board.int32, other, 1);
  // The other worker's sum still sees the first claim, though that is withdrawn by now.
  const sums = [2];
  const sum = board.endpointInFlight;
  board.endpointInFlight = (row) => sums.pop() ?? sum.call(board, row);
  assertEquals(stage.workers[1]!.endpoint.lease(), null);
  (await waiting as Lease).release(true);
});
