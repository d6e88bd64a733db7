import { assertEquals } from "@std/assert";
import { Board } from "../../src/board/layout.ts";
import { OwnColumn } from "../../src/board/own.ts";
import { configSchema } from "../../src/config/schema.ts";
import { TimerWheel } from "../../src/timer_wheel.ts";
import { Endpoint } from "../../src/upstream/endpoint.ts";
import { snapshotOf } from "../support/loop.ts";

/** One endpoint as each of two workers sees it, and a clock that they share. */
function twoWorkers() {
  const board = Board.create({
    columnsMax: 3,
    upstreamsMax: 1,
    endpointsMax: 1,
    routesMax: 1,
    rateSlotsMax: 1,
  });
  const clock = { ms: 1_000 };
  const now = () => clock.ms;
  const wheel = new TimerWheel({ now, every: () => () => {} });
  const config = configSchema.parse({ upstreams: { default: { endpoints: ["http://127.0.0.1:1"] } } });
  const [upstream] = snapshotOf(config).upstreams;
  const workers = [1, 2].map((column) =>
    new Endpoint(upstream!.endpoints[0]!, upstream!, {
      own: new OwnColumn(board, column),
      wheel,
      now,
      random: () => 0,
    })
  );
  return { clock, first: workers[0]!, second: workers[1]! };
}

Deno.test("Endpoint.observeFailure() takes an endpoint that never answered for a slow one", () => {
  const { clock, first } = twoWorkers();
  first.observeFailure(0.3, clock.ms);
  assertEquals(first.latency().costMs, 1_000);
});

Deno.test("Endpoint.observeFailure() goes by what another worker knows", () => {
  const { clock, first, second } = twoWorkers();
  first.observeLatency(10, clock.ms);
  second.observeFailure(0.3, clock.ms);
  // The mean of 10 and of twice that.
  assertEquals(second.latency().costMs, 15);
});
