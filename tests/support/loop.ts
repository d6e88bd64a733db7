// One event loop of the data plane in the test's own thread: the real listener, proxy and board, without the
// control plane. Scenarios about single requests run on it, because it starts in milliseconds; health checks,
// ejection, discovery and signals need `startWeir()`.

import { assertLessOrEqual } from "@std/assert";
import { Board, ColumnCell, DEFAULT_CAPACITY } from "../../src/board/layout.ts";
import { EndpointField, UpstreamField } from "../../src/board/fields.ts";
import { Totals } from "../../src/board/totals.ts";
import { type Config, configSchema, type UpstreamConfig } from "../../src/config/schema.ts";
import { EventLoop } from "../../src/event_loop.ts";
import type { EndpointSnapshot, FromWorker, Snapshot, UpstreamSnapshot } from "../../src/messages.ts";
import { routeNames, routesInForce } from "../../src/routing/default_route.ts";
import { until } from "./until.ts";
import type { ListenerName } from "./weir.ts";

const COLUMN = 1;
/** Each loop is an instance of its own, so that two of them are no forwarding loop. */
let loops = 0;
const STOP_MS_MAX = 1_000;

export interface LoopOptions {
  /** Endpoints of the upstream `default`. */
  readonly upstreams?: string | readonly string[];
  /** Configuration as an operator would write it; `upstreams` is added to it. */
  readonly config?: Record<string, unknown>;
  readonly listener?: ListenerName;
  /** Where it listens; default: 127.0.0.1, which `::` has clients on, too. */
  readonly host?: "::";
  /** How long before this loop its pod began, milliseconds: a worker that was replaced is younger than its pod. */
  readonly podAgeMs?: number;
}

export async function startLoop(options: LoopOptions): Promise<RunningLoop> {
  const { upstreams, config = {}, listener = "serve", host = "127.0.0.1", podAgeMs = 0 } = options;
  const endpoints = upstreams === undefined
    ? {}
    : { upstreams: { default: { endpoints: [upstreams].flat() } } };
  const parsed = configSchema.parse({ ...endpoints, ...config });
  const loop = new RunningLoop({
    ...parsed,
    listen: { ...parsed.listen, host, port: 0, listener },
  }, podAgeMs);
  await loop.ready();
  return loop;
}

export class RunningLoop implements AsyncDisposable {
  readonly board = Board.create({ ...DEFAULT_CAPACITY, columnsMax: 2 });
  readonly totals = new Totals(this.board);
  readonly snapshot: Snapshot;
  /** Access log lines. */
  readonly log: string[] = [];
  url = "";
  readonly #loop: EventLoop;
  readonly #said: FromWorker[] = [];

  constructor(config: Config, podAgeMs: number) {
    this.snapshot = snapshotOf(config);
    this.#loop = new EventLoop(
      {
        kind: "start",
        column: COLUMN,
        board: this.board.handle,
        listen: config.listen,
        snapshot: this.snapshot,
        instance: `test${++loops}`,
        leaving: false,
        sent: { now: 0, date: 0 },
      },
      (message) => this.#hear(message),
      podAgeMs,
    );
  }

  async ready(): Promise<void> {
    await until("the loop listens", () => this.url !== "");
  }

  /** Tells it what the control plane would. */
  send(message: Parameters<EventLoop["receive"]>[0]): void {
    this.#loop.receive(message);
  }

  /** What was counted of the endpoint with this URL. */
  endpointTotal(url: string, field: keyof typeof EndpointField): number {
    const endpoints = this.snapshot.upstreams.flatMap(({ endpoints }) => endpoints);
    const row = endpoints.find(({ id }) => id === url)?.row;
    if (row === undefined) throw new Error(`${url} is no endpoint of ${endpoints.map(({ id }) => id)}`);
    return this.totals.endpoint(row, EndpointField[field]);
  }

  /** What was counted of an upstream. */
  upstreamTotal(field: keyof typeof UpstreamField, name = "default"): number {
    const row = this.snapshot.upstreams.findIndex((upstream) => upstream.name === name);
    return this.totals.upstream(row, UpstreamField[field]);
  }

  /** What it reported of bugs in Weir. */
  get bugs(): string[] {
    return this.#said.flatMap((message) => message.kind === "failed" ? [message.reason] : []);
  }

  /** @throws when requests or slots are left once the clients are gone, or the loop reported a bug. */
  async checkInvariants(): Promise<void> {
    if (this.bugs.length > 0) throw new Error(this.bugs[0]);
    const rows = this.snapshot.upstreams.flatMap(({ endpoints }) => endpoints.map(({ row }) => row));
    const attempts = rows.map((row) => this.totals.endpoint(row, EndpointField.attempts));
    const paid = this.snapshot.upstreams.map(({ name }) =>
      this.upstreamTotal("requests", name) + this.upstreamTotal("retries", name)
    );
    assertLessOrEqual(sum(attempts), sum(paid), "attempts are requests and retries");
    await until(
      "nothing in flight after the scenario",
      () =>
        this.board.podInFlight() === 0 && this.totals.cellOf(COLUMN, ColumnCell.inFlight) === 0 &&
        rows.every((row) => this.board.endpointInFlight(row) === 0) &&
        this.snapshot.upstreams.every(({ row }) =>
          this.board.upstreamInFlight(row) === 0 && this.board.upstreamWaiting(row) === 0
        ) &&
        this.snapshot.routes.every(({ row }) => this.board.routeInFlight(row) === 0),
    );
  }

  /** Drains it with a deadline that no test outlives: whatever it waits for must end by itself. */
  async leave(): Promise<void> {
    this.send({ kind: "drain", deadlineMs: 600_000 });
    await until("the loop has drained", () => this.#drained);
  }

  get #drained(): boolean {
    return this.#said.some(({ kind }) => kind === "drained");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#drained) this.send({ kind: "drain", deadlineMs: STOP_MS_MAX });
    await until("the loop has drained", () => this.#drained);
  }

  #hear(message: FromWorker): void {
    this.#said.push(message);
    if (message.kind === "listening") {
      this.url = `http://${message.host === "::" ? "127.0.0.1" : message.host}:${message.port}`;
    }
    if (message.kind === "log") {
      this.log.push(...new TextDecoder().decode(message.lines).trimEnd().split("\n"));
    }
  }
}

/** What the control plane would publish for this configuration, with every endpoint taking traffic. */
export function snapshotOf(config: Config): Snapshot {
  let row = 0;
  const upstreams = Object.entries(config.upstreams).map(([name, upstream], index): UpstreamSnapshot => {
    const { sticky, ...rest } = upstream;
    return {
      ...rest,
      ...(sticky === undefined ? {} : { sticky }),
      name,
      row: index,
      endpoints: upstream.endpoints.map((endpoint) => endpointOf(endpoint, row++)),
      tls: { caCerts: [] },
    };
  });
  const routes = routesInForce(config);
  const names = routeNames(routes);
  return {
    ...config,
    version: 1,
    upstreams,
    routes: routes.map((route, index) => ({ ...route, name: names[index]!, row: index })),
    stickyKey: "a key for tests only",
  };
}

/** Of an `http://` endpoint. */
function endpointOf(written: UpstreamConfig["endpoints"][number], row: number): EndpointSnapshot {
  const { url, weight = 1, backup = false } = typeof written === "string" ? { url: written } : written;
  const { hostname, port, host } = new URL(url);
  const portNumber = Number(port || 80);
  const id = `http://${hostname}:${portNumber}`;
  return { id, row, scheme: "http", host: hostname, port: portNumber, authority: host, weight, backup };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
