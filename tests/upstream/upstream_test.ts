// What a worker keeps of an upstream over snapshots, changes and verdicts, and whom it lets go.

import { assert, assertEquals } from "@std/assert";
import { Board, UpstreamCell } from "../../src/board/layout.ts";
import { OwnColumn } from "../../src/board/own.ts";
import { EndpointState, Verdicts } from "../../src/board/verdicts.ts";
import { upstreamSchema } from "../../src/config/schema.ts";
import type { EndpointSnapshot, UpstreamSnapshot } from "../../src/messages.ts";
import { Upstream } from "../../src/upstream/upstream.ts";
import { StillTime } from "../support/still_time.ts";
import { CountedPools } from "../support/two_workers.ts";
import { Served } from "./served.ts";

const ROW = 1;

/** Endpoints are named by letters, `a` has row 0; capitals are backups. */
function endpointOf(letter: string): EndpointSnapshot {
  const id = letter.toLowerCase();
  const row = id.charCodeAt(0) - 97;
  return { id, row, scheme: "http", host: id, port: 80, authority: id, weight: 1, backup: id !== letter };
}

function snapshot(letters: string, settings: Record<string, unknown> = {}): UpstreamSnapshot {
  const { sticky: _, ...config } = upstreamSchema.parse({ endpoints: ["http://a"], ...settings });
  return { ...config, name: "api", row: ROW, tls: { caCerts: [] }, endpoints: [...letters].map(endpointOf) };
}

function stage(letters: string) {
  const board = Board.create({
    columnsMax: 3,
    upstreamsMax: 2,
    endpointsMax: 8,
    routesMax: 1,
    rateSlotsMax: 1,
  });
  const pools = new CountedPools();
  const { wheel } = new StillTime();
  const worker = (column: number) =>
    new Upstream(snapshot(letters), {
      own: new OwnColumn(board, column),
      wheel,
      pools,
      now: () => 0,
    });
  const upstream = worker(1);
  const candidates = () => upstream.candidates().endpoints.map(({ id }) => id).join("");
  return { board, verdicts: new Verdicts(board), pools, upstream, worker, candidates };
}

Deno.test("Upstream.apply() keeps the endpoints that stay as they are, and lets the others go", () => {
  const { upstream, pools, candidates } = stage("abc");
  const [a, b, c] = upstream.all();
  assertEquals([candidates(), pools.keepers], ["abc", 3]);
  upstream.apply(snapshot("daB", { limits: { inFlightPerEndpointMax: 1 }, panicPercent: 40 }));
  assertEquals([upstream.all().map(({ id }) => id).join(""), candidates()], ["dab", "da"]);
  assert(upstream.endpoint("a") === a && upstream.endpoint("b") !== b);
  assertEquals(pools.keepers, 3, "b, that is a backup now, and c are let go");
  assertEquals(upstream.endpoint("c"), undefined);
  assertEquals([upstream.snapshot.panicPercent, a!.upstream === upstream.snapshot], [40, true]);
  assert(a!.lease() !== null && a!.isFull && c!.lease() !== null && !c!.isFull, "a has the new limit");
});

Deno.test("Upstream.change() lets those go that are not as they were", () => {
  const { upstream, pools, candidates } = stage("abce");
  const [, b, c] = upstream.all();
  candidates();
  const heavier = { ...endpointOf("b"), weight: 3 };
  upstream.change({ upstream: "api", left: ["a", "b", "e", "z"], joined: [heavier, endpointOf("d")] });
  assertEquals([candidates(), pools.keepers], ["cbd", 3]);
  assert(upstream.endpoint("b") === b && upstream.endpoint("c") === c);
  assertEquals(b!.snapshot.weight, 3);
});

const named = (letter: string, authority: string) => ({ ...endpointOf(letter), authority });
const renames: Record<string, (upstream: Upstream) => void> = {
  change: (upstream) => upstream.change({ upstream: "api", left: ["a"], joined: [named("a", "new")] }),
  apply: (upstream) => upstream.apply({ ...snapshot("ab"), endpoints: [named("a", "new"), endpointOf("b")] }),
};

for (const [way, rename] of Object.entries(renames)) {
  Deno.test(`Upstream.${way}() keeps no connection that was made to an endpoint by another name`, () => {
    const { upstream } = stage("ab");
    const [a, b] = upstream.all();
    for (const endpoint of [a!, b!]) endpoint.giveBack(new Served(-1).asConnection, true);
    rename(upstream);
    assert(upstream.endpoint("a") === a, "its counts and limits stay");
    assertEquals([a!.takeIdle(1_000), b!.takeIdle(1_000) !== null], [null, true]);
    a!.giveBack(new Served(1).asConnection, true);
    assert(a!.takeIdle(1_000) !== null, "those that are made since are kept");
  });
}

Deno.test("Upstream.candidates() follow each verdict, and are the same list while there is none", () => {
  const { upstream, verdicts, candidates } = stage("abc");
  assertEquals(candidates(), "abc");
  assert(upstream.candidates() === upstream.candidates());
  verdicts.write(ROW, 1, EndpointState.ejected, 1_000);
  assertEquals(candidates(), "ac");
  assert(upstream.candidates() === upstream.candidates());
  verdicts.write(ROW, 1, 0, 1_000);
  assertEquals(candidates(), "abc");
});

Deno.test("Upstream.turn() counts over all workers, and around", () => {
  const { board, upstream, worker } = stage("a");
  const other = worker(2);
  assertEquals([upstream.turn(), other.turn(), upstream.nextTurn, upstream.turn()], [0, 1, 2, 2]);
  board.int32[board.layout.upstreamCell(ROW, UpstreamCell.turn)] = -1;
  assertEquals([other.nextTurn, upstream.turn(), other.turn()], [2 ** 32 - 1, 2 ** 32 - 1, 0]);
});

Deno.test("Upstream.retire() lets all its endpoints go", () => {
  const { upstream, pools } = stage("abc");
  upstream.retire();
  assertEquals(pools.keepers, 0);
});
