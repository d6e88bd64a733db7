// A request whose time is up when an endpoint could be asked: it is not, and nobody is to blame.

import { assertEquals } from "@std/assert";
import { UpstreamField } from "../../src/board/fields.ts";
import { Board, DEFAULT_CAPACITY } from "../../src/board/layout.ts";
import { OwnColumn } from "../../src/board/own.ts";
import { Totals } from "../../src/board/totals.ts";
import { configSchema } from "../../src/config/schema.ts";
import type { Delivery, Exchange, ResponseHead } from "../../src/exchange.ts";
import { handle } from "../../src/proxy/handler.ts";
import { Proxy } from "../../src/proxy/proxy.ts";
import { TimerWheel } from "../../src/timer_wheel.ts";
import { snapshotOf } from "../support/loop.ts";
import { Gate, type RawOrigin, reply, reset, scene, startOrigin, wait } from "../support/raw_origin.ts";
import { until } from "../support/until.ts";

/** A proxy on a clock that stands still until it is told the time. */
class StillProxy {
  readonly board = Board.create({ ...DEFAULT_CAPACITY, columnsMax: 2 });
  readonly totals = new Totals(this.board);
  readonly proxy: Proxy;
  private nowMs = 1_000;
  private tick: () => void = () => {};

  constructor(endpoints: readonly RawOrigin[], settings: Record<string, unknown>) {
    const upstream = { endpoints: endpoints.map(({ url }) => url), ...settings };
    const now = () => this.nowMs;
    const wheel = new TimerWheel({
      now,
      every: (_ms, tick) => {
        this.tick = tick;
        return () => this.tick = () => {};
      },
    });
    this.proxy = new Proxy({
      own: new OwnColumn(this.board, 1),
      wheel,
      now,
      epoch: () => 0,
      random: () => 0.5,
      makeId: () => "id",
      instance: "still",
      scheme: "http",
      readyPath: null,
      hstsMaxAgeS: 0,
      tracer: null,
      writeLog: () => {},
      onInternalError: (error) => {
        throw error;
      },
    }, snapshotOf(configSchema.parse({ upstreams: { default: upstream } })));
  }

  /** It is `ms` later, and nothing that waits for a time has noticed yet. */
  pass(ms: number): void {
    this.nowMs += ms;
  }

  /** What waits for a time notices. */
  notice(): void {
    this.tick();
  }

  /** Status and cause of the answer to a GET. */
  async get(): Promise<[number, string]> {
    let status = 0;
    let cause = "";
    const exchange: Exchange = {
      head: {
        method: "GET",
        target: "/",
        authority: "a.test",
        scheme: "http",
        version: "1.1",
        headers: ["Host", "a.test"],
      },
      body: null,
      unacceptable: null,
      peer: { hostname: "127.0.0.1", port: 1 },
      clientGone: false,
      listener: null,
      respond(head: ResponseHead, body): Delivery {
        status = head.status;
        cause = head.headers[head.headers.indexOf("Proxy-Status") + 1]!;
        return { kind: "complete", bytes: body?.takeWhole()?.length ?? 0 };
      },
    };
    await handle(exchange, this.proxy);
    return [status, status === 200 ? "" : cause];
  }
}

const timeouts = { requestMs: 1_000 };

Deno.test("a request whose time ends while it waits to be retried asks no other endpoint", async () => {
  await using first = await startOrigin(reset());
  await using second = await startOrigin(reply(200));
  const still = new StillProxy([first, second], { timeouts });
  const answer = still.get();
  await until("it waits", () => still.totals.upstream(0, UpstreamField.retries) === 1);
  still.pass(1_000);
  still.notice();
  assertEquals(await answer, [504, "weir; error=http_response_timeout"]);
  assertEquals(second.requests.length, 0);
  const [attempt] = still.proxy.stories.find("id")!.attempts;
  assertEquals(attempt!.retryVerdict, "no: the request's deadline passed before it");
  still.proxy.retire();
});

Deno.test("a request whose time ends while it waits for room leaves the room to others", async () => {
  const gate = new Gate();
  await using origin = await startOrigin([scene(wait(gate), reply(200)), reply(200)]);
  const still = new StillProxy([origin], { timeouts, limits: { inFlightPerEndpointMax: 1, queueMax: 1 } });
  const served = still.get();
  await origin.request(1);
  const late = still.get();
  await until("it waits", () => still.board.upstreamWaiting(0) === 1);
  still.pass(1_000);
  gate.open();
  assertEquals(await served, [200, ""]);
  assertEquals(await late, [504, "weir; error=http_response_timeout"]);
  assertEquals([origin.requests.length, still.board.endpointInFlight(0)], [1, 0]);
  still.proxy.retire();
});

Deno.test("a request whose time ends before there is room is out of time, and waited no longer", async () => {
  await using origin = await startOrigin(reply(200));
  const still = new StillProxy([origin], { timeouts, limits: { inFlightPerEndpointMax: 1 } });
  const { int32, layout } = still.board;
  Atomics.add(int32, layout.endpointInFlightCell(0, 1), 1);
  const late = still.get();
  await until("it waits", () => still.board.upstreamWaiting(0) === 1);
  still.pass(1_000);
  still.notice();
  assertEquals(await late, [504, "weir; error=http_response_timeout"]);
  assertEquals([origin.requests.length, still.board.upstreamWaiting(0)], [0, 0]);
  still.proxy.retire();
});
