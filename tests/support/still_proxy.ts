// A proxy whose time passes only when a test says so.

import { Board, DEFAULT_CAPACITY } from "../../src/board/layout.ts";
import { OwnColumn } from "../../src/board/own.ts";
import { Totals } from "../../src/board/totals.ts";
import { configSchema } from "../../src/config/schema.ts";
import type { Body, Delivery, Exchange, ResponseHead } from "../../src/exchange.ts";
import { handle } from "../../src/proxy/handler.ts";
import { Proxy } from "../../src/proxy/proxy.ts";
import { Turnstile } from "../../src/proxy/turnstile.ts";
import { snapshotOf } from "./loop.ts";
import type { RawOrigin } from "./raw_origin.ts";
import { requestHead } from "./request_head.ts";
import { StillTime } from "./still_time.ts";
import { until } from "./until.ts";

/** A proxy on a clock that stands still until it is told the time. */
export class StillProxy {
  readonly board = Board.create({ ...DEFAULT_CAPACITY, columnsMax: 2 });
  readonly totals = new Totals(this.board);
  readonly proxy: Proxy;
  private readonly time = new StillTime(1_000);
  private client: Exchange & { clientGone: boolean } | null = null;

  /** @param turn the turns of its loop */
  constructor(
    endpoints: readonly RawOrigin[],
    settings: Record<string, unknown>,
    turn: () => Promise<void> = () => Promise.resolve(),
  ) {
    const upstream = { endpoints: endpoints.map(({ url }) => url), ...settings };
    const { wheel } = this.time;
    this.proxy = new Proxy({
      own: new OwnColumn(this.board, 1),
      wheel,
      turnstile: new Turnstile(turn, wheel),
      now: () => this.time.now,
      epoch: () => 0,
      random: () => 0.5,
      makeId: () => "id",
      instance: "still",
      scheme: "http",
      tunnels: false,
      headRefusal: () => null,
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
    this.time.now += ms;
  }

  /** What waits for a time notices. */
  notice(): void {
    this.time.wheel.advance();
  }

  /** The client of the last request leaves. */
  leave(): void {
    this.client!.clientGone = true;
    this.client!.listener?.clientLeft();
  }

  /** Status and cause of the answer to a GET. */
  get(): Promise<[number, string]> {
    return this.ask("GET", null);
  }

  /** Status and cause of the answer to a request. */
  async ask(method: string, body: Body | null): Promise<[number, string]> {
    let status = 0;
    let cause = "";
    const exchange: Exchange & { clientGone: boolean } = this.client = {
      head: requestHead({ method, headers: ["Host", "a.test"] }),
      body,
      unacceptable: null,
      peer: { hostname: "127.0.0.1", port: 1 },
      clientGone: false,
      listener: null,
      respond(head: ResponseHead, sent): Delivery {
        status = head.status;
        cause = head.headers[head.headers.indexOf("Proxy-Status") + 1]!;
        return { kind: "complete", bytes: sent?.takeWhole()?.length ?? 0 };
      },
    };
    await handle(exchange, this.proxy);
    return [status, status === 200 ? "" : cause];
  }
}

/** A GET that waits for room at `origin`, which serves one request at a time: `held` has its place. */
export async function waitingGet(origin: RawOrigin) {
  const still = new StillProxy([origin], { limits: { inFlightPerEndpointMax: 1 } });
  const { queue, upstream } = still.proxy.plan(still.proxy.snapshot.routes[0]!).groupFor("")!;
  const held = upstream.all()[0]!.lease()!;
  const answer = still.get();
  await until("it waits", () => queue.size === 1);
  return { still, queue, held, answer };
}
