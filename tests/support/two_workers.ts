// An endpoint as two workers of a pod have it.

import { EndpointField } from "../../src/board/fields.ts";
import { Board } from "../../src/board/layout.ts";
import { OwnColumn } from "../../src/board/own.ts";
import { Totals } from "../../src/board/totals.ts";
import { configSchema } from "../../src/config/schema.ts";
import { Endpoint } from "../../src/upstream/endpoint.ts";
import { type IdleKeeper, Pools } from "../../src/upstream/pools.ts";
import { snapshotOf } from "./loop.ts";
import { StillTime } from "./still_time.ts";

/** Counts who keeps connections that may make room. */
export class CountedPools extends Pools {
  keepers = 0;

  override add(keeper: IdleKeeper): void {
    super.add(keeper);
    this.keepers++;
  }

  override remove(keeper: IdleKeeper): void {
    super.remove(keeper);
    this.keepers--;
  }
}

/** One endpoint as each of two workers sees it, and a clock that they share; `written` is of its upstream. */
export function twoWorkers(written: Record<string, unknown> = {}) {
  const board = Board.create({
    columnsMax: 3,
    upstreamsMax: 1,
    endpointsMax: 1,
    routesMax: 1,
    rateSlotsMax: 1,
  });
  const clock = new StillTime(1_000);
  const config = configSchema.parse({
    upstreams: { default: { endpoints: ["http://127.0.0.1:1"], ...written } },
  });
  const [upstream] = snapshotOf(config).upstreams;
  const pools = new CountedPools();
  const workers = [1, 2].map((column) =>
    new Endpoint(upstream!.endpoints[0]!, upstream!, {
      own: new OwnColumn(board, column),
      wheel: clock.wheel,
      pools,
      now: () => clock.now,
    })
  );
  const totals = new Totals(board);
  const total = (field: keyof typeof EndpointField) => totals.endpoint(0, EndpointField[field]);
  /** The part of the endpoint's latency that the first worker has measured. */
  const ownCost = () => board.float64[board.layout.ewmaCell(1, 0)];
  return { board, clock, ownCost, pools, total, first: workers[0]!, second: workers[1]! };
}
