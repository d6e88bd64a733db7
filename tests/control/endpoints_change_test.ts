// What workers make of changes is what the pod publishes, whatever came and went in between.

import { assertEquals } from "@std/assert";
import { OwnColumn } from "../../src/board/own.ts";
import { upstreamSchema } from "../../src/config/schema.ts";
import { type DiscoveredEndpoint, discoveredEndpoint } from "../../src/control/discovery/discovery.ts";
import {
  changedUpstream,
  endpointsChange,
  type Rows,
  upstreamSnapshot,
} from "../../src/control/snapshots.ts";
import { Pools } from "../../src/upstream/pools.ts";
import { Upstream } from "../../src/upstream/upstream.ts";
import { smallBoard } from "../support/small_board.ts";
import { StillTime } from "../support/still_time.ts";

const config = upstreamSchema.parse({ endpoints: ["http://10.0.0.1"] });
const tls = { caCerts: [] };

/** Every identity has a row of its own, given in order of appearance. */
function rowsInOrder(): Rows {
  const rows = new Map<string, number>();
  return {
    upstream: () => 0,
    route: () => 0,
    endpoint: (upstream, id) => {
      const key = `${upstream} ${id}`;
      if (!rows.has(key)) rows.set(key, rows.size);
      return rows.get(key)!;
    },
  };
}

function found(port: number, weight = 1, backup = false, drain = false): DiscoveredEndpoint {
  return discoveredEndpoint({ scheme: "http", weight, backup, drain }, "10.0.0.1", port, "api");
}

function workerOf(upstream: ReturnType<typeof upstreamSnapshot>): Upstream {
  const board = smallBoard(64);
  const { wheel } = new StillTime();
  const own = new OwnColumn(board, 1);
  return new Upstream(upstream, { own, wheel, pools: new Pools(), now: () => 0 });
}

Deno.test("endpointsChange() names those that came, went or are not as they were, and nobody else", () => {
  const rows = rowsInOrder();
  const known = { name: "api", config, tls, endpoints: [found(1), found(2), found(3), found(4)] };
  const before = upstreamSnapshot(known, rows);
  const change = endpointsChange(before, [found(1), found(3, 2), found(4, 1, false, true), found(5)], rows);
  assertEquals(change.left, ["http://10.0.0.1:2", "http://10.0.0.1:3"]);
  assertEquals(change.joined.map(({ port, row, weight }) => [port, row, weight]), [[3, 2, 2], [5, 4, 1]]);
  const ports = changedUpstream(before, change).endpoints.map(({ port }) => port);
  assertEquals(ports, [1, 4, 3, 5]);
});

Deno.test("a worker has the endpoints that the pod publishes, in the same order, after any changes", () => {
  const rows = rowsInOrder();
  let published = upstreamSnapshot({ name: "api", config, tls, endpoints: [found(1), found(2)] }, rows);
  const worker = workerOf(published);
  // The first of so many changes is the same in every run.
  let chance = 7;
  const below = (n: number) => (chance = (chance * 48_271) % 2_147_483_647) % n;
  for (let step = 0; step < 500; step++) {
    const now = Array.from({ length: 20 }, (_, port) => found(port + 1, 1 + below(2), below(4) === 0))
      .filter(() => below(3) > 0);
    const kept = new Map(worker.all().map((endpoint) => [endpoint.id, endpoint]));
    const change = endpointsChange(published, now, rows);
    published = changedUpstream(published, change);
    worker.change(change);
    assertEquals(worker.all().map(({ snapshot }) => snapshot), published.endpoints);
    assertEquals(new Set(published.endpoints.map(({ id }) => id)), new Set(now.map(({ id }) => id)));
    for (const endpoint of worker.all()) {
      if (!change.left.includes(endpoint.id) && kept.has(endpoint.id)) {
        assertEquals(kept.get(endpoint.id) === endpoint, true, "who stays keeps connections and counts");
      }
    }
  }
});
