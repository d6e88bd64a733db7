// A pod of which only the figures exist: a small board, and a view of it that a test scripts.

import {
  BY_METHOD,
  EndpointField,
  HEAD_LATENCY,
  LATENCY_BUCKETS,
  latencyBucket,
  METHODS,
  ROUTE_LATENCY,
  RouteField,
  STATUS_CLASSES,
  TOTAL_LATENCY,
  UpstreamField,
  WorkerField,
} from "../../src/board/fields.ts";
import { Board, ColumnCell } from "../../src/board/layout.ts";
import { EndpointState, Verdicts } from "../../src/board/verdicts.ts";
import type { Answer, Question } from "../../src/messages.ts";
import { EventBook } from "../../src/pod/event_book.ts";
import type {
  AdminView,
  CertificateInfo,
  ConfigInfo,
  DiscoveryInfo,
  EndpointInfo,
  PodEvent,
  PodInfo,
  ProbeState,
  RouteInfo,
  UpstreamInfo,
  WorkerInfo,
} from "../../src/admin/view.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What one request did, as a worker would count it. */
export interface FakeRequest {
  readonly status?: number;
  readonly method?: typeof METHODS[number];
  /** To the response head; the last byte comes twice as late. */
  readonly latencyMs?: number;
  readonly column?: number;
  readonly count?: number;
}

export class FakePod implements AdminView {
  readonly board = Board.create({
    columnsMax: 4,
    upstreamsMax: 4,
    endpointsMax: 16,
    routesMax: 4,
    rateSlotsMax: 1,
  });
  readonly verdicts = new Verdicts(this.board);
  readonly state: Mutable<ProbeState> = { live: true, ready: true, started: true, reasons: [] };
  readonly info: Mutable<PodInfo>;
  readonly configuration: Mutable<ConfigInfo> = {
    version: 3,
    file: "/etc/weir/config.yaml",
    effective: "listen.port = 3000 (default)\n",
    lastReload: null,
  };
  tls: CertificateInfo | null = null;
  readonly workerList: Mutable<WorkerInfo>[];
  readonly upstreamList:
    (Mutable<Omit<UpstreamInfo, "endpoints">> & { endpoints: Mutable<EndpointInfo>[] })[] = [];
  readonly routeList: RouteInfo[] = [];
  readonly book: EventBook;
  /** How many are subscribed: 0 once everything is closed. */
  subscribed = 0;
  answer: (question: Question) => readonly Answer[] | Promise<readonly Answer[]> = () => [];

  constructor(readonly now: () => number, upstreams: Readonly<Record<string, readonly string[]>>) {
    this.book = new EventBook(now, () => {});
    this.info = {
      version: "1.0.0",
      deno: "2.9.6",
      instance: "a1b2c3",
      startedAt: now() - 3_725_000,
      draining: null,
      residentBytes: 96 * 1024 ** 2,
      heapBytes: 12 * 1024 ** 2,
      knowsConnections: true,
      logLinesDropped: 0,
    };
    this.workerList = [1, 2].map((column, index) => (
      {
        index,
        column,
        state: "serving",
        restarts: 0,
        hangs: 0,
        stalledMs: 0,
        since: now() - 3_720_000,
        reason: null,
      }
    ));
    for (const [name, ids] of Object.entries(upstreams)) this.addUpstream(name, ids);
    for (const { column } of this.workerList) {
      this.board.int32[this.board.layout.columnCell(column!, ColumnCell.connections)] = 12;
      this.board.float64[this.board.layout.workerTotal(column!, WorkerField.loopDelayMaxMs)] = 3.5;
      this.board.float64[this.board.layout.workerTotal(column!, WorkerField.heapBytes)] = 9 * 1024 ** 2;
    }
  }

  private addUpstream(name: string, ids: readonly string[]): void {
    const row = this.upstreamList.length;
    const firstRow = this.upstreamList.reduce((sum, { endpoints }) => sum + endpoints.length, 0);
    const endpoints = ids.map((id, i) => ({
      id,
      row: firstRow + i,
      weight: 1,
      backup: false,
      healthReason: null,
      lastCheck: { at: this.now(), passed: true, durationMs: 1.2, reason: "200" },
      checksPassed: 1,
      checksFailed: 0,
      ejection: null,
      ejections: { consecutive_failures: 0, failure_percent: 0 },
    }));
    this.upstreamList.push({
      name,
      row,
      policy: "least_request (choices: 2)",
      health: "http GET /healthz every 2 s",
      whenAllUnhealthy: "panic",
      panicPercent: 50,
      endpoints,
      leftOut: 0,
      discovery: [],
    });
    this.routeList.push({ name, row, target: name });
    for (const endpoint of endpoints) this.verdicts.write(row, endpoint.row, 0, 1000);
  }

  /** Endpoint `index` of upstream `upstream` served a request; also counted on the upstream's route. */
  serve(upstream: number, index: number, request: FakeRequest = {}): void {
    const { status = 200, method = "GET", latencyMs = 4, column = 1, count = 1 } = request;
    const { layout, float64 } = this.board;
    const row = this.upstreamList[upstream]!.endpoints[index]!.row;
    const statusClass = Math.floor(status / 100) - 1;
    const add = (cell: number, value = count) => float64[cell]! += value;
    const observe = (first: number, ms: number) => {
      add(first + latencyBucket(ms));
      add(first + LATENCY_BUCKETS, ms * count);
    };
    add(layout.endpointTotal(column, row, EndpointField.attempts));
    add(layout.endpointTotal(column, row, EndpointField.status1xx + statusClass));
    observe(layout.endpointTotal(column, row, HEAD_LATENCY), latencyMs);
    observe(layout.endpointTotal(column, row, TOTAL_LATENCY), latencyMs * 2);
    add(layout.upstreamTotal(column, upstream, UpstreamField.requests));
    const methodAndClass = METHODS.indexOf(method) * STATUS_CLASSES.length + statusClass;
    add(layout.upstreamTotal(column, upstream, BY_METHOD + methodAndClass));
    add(layout.routeTotal(column, upstream, RouteField.status1xx + statusClass));
    observe(layout.routeTotal(column, upstream, ROUTE_LATENCY), latencyMs * 2);
    add(layout.workerTotal(column, WorkerField.requests));
  }

  /** The pod had no room for so many requests. */
  reject(count: number): void {
    const { layout, float64 } = this.board;
    for (const field of [WorkerField.requests, WorkerField.rejectedInFlight]) {
      float64[layout.workerTotal(1, field)]! += count;
    }
  }

  /** So many requests found the queue of an upstream full, or waited in it for too long. */
  crowdOut(upstream: number, count: number, why: "queueFull" | "queueTimeouts"): void {
    this.board.float64[this.board.layout.upstreamTotal(1, upstream, UpstreamField[why])]! += count;
  }

  /** So many requests are at the endpoint, in one worker. */
  inFlight(upstream: number, index: number, count: number): void {
    const { layout, int32 } = this.board;
    const row = this.upstreamList[upstream]!.endpoints[index]!.row;
    int32[layout.endpointInFlightCell(row, 1)] = count;
    int32[layout.upstreamInFlightCell(upstream, 1)] = this.upstreamList[upstream]!.endpoints
      .reduce((sum, endpoint) => sum + this.board.endpointInFlight(endpoint.row), 0);
    int32[layout.columnCell(1, ColumnCell.inFlight)] = this.upstreamList
      .reduce((sum, { row }) => sum + this.board.upstreamInFlight(row), 0);
  }

  eject(upstream: number, index: number, why: string): void {
    const endpoint = this.mark(upstream, index, EndpointState.ejected);
    endpoint.ejection = { until: this.now() + 30_000, why };
    endpoint.ejections = {
      ...endpoint.ejections,
      consecutive_failures: endpoint.ejections.consecutive_failures + 1,
    };
    this.happen("ejection", "bad", `${endpoint.id} ejected for 30 s: ${why}`);
  }

  failCheck(upstream: number, index: number, reason: string): void {
    const endpoint = this.mark(upstream, index, EndpointState.unhealthy);
    endpoint.lastCheck = { at: this.now(), passed: false, durationMs: 2, reason };
    endpoint.healthReason = reason;
    endpoint.checksFailed += 3;
    this.happen("health", "bad", `${endpoint.id} is unhealthy: ${reason}, 3 times in a row`);
  }

  recover(upstream: number, index: number): void {
    const endpoint = this.mark(upstream, index, 0);
    endpoint.ejection = null;
    endpoint.lastCheck = { at: this.now(), passed: true, durationMs: 1.1, reason: "200" };
    this.happen("health", "good", `${endpoint.id} serves again`);
  }

  /** Sets EndpointState bits. */
  mark(upstream: number, index: number, bits: number, weightPermille = 1000): Mutable<EndpointInfo> {
    const { row, endpoints } = this.upstreamList[upstream]!;
    const endpoint = endpoints[index]!;
    this.verdicts.write(row, endpoint.row, bits, weightPermille);
    return endpoint;
  }

  /** An address of upstream `upstream` is looked up, and was answered just now but for what is said. */
  lookUp(upstream: number, source: string, said: Partial<DiscoveryInfo> = {}): void {
    const info = { source, endpoints: 2, answeredAt: this.now(), problem: null, failingSince: null, ...said };
    const group = this.upstreamList[upstream]!;
    group.discovery = [...group.discovery.filter((other) => other.source !== source), info];
  }

  reload(ok: boolean, findings: readonly string[] = []): void {
    this.configuration.lastReload = { ok, at: this.now(), findings };
    if (ok) this.configuration.version++;
    this.happen("reload", ok ? "neutral" : "bad", ok ? "applied" : `refused: ${findings.join("; ")}`);
  }

  /** There is TLS, with a certificate that is good for so long, beside another one that is not served. */
  certify(leftMs: number, problem: string | null = null): void {
    this.tls = {
      names: ["app.test"],
      issuer: "Test CA",
      fingerprint: "AB:CD",
      notAfter: this.now() + leftMs,
      loadedAt: this.now(),
      changes: { applied: 1, refused: problem === null ? 0 : 1 },
      problem,
      workers: { serving: 1, all: 2 },
    };
  }

  happen(kind: PodEvent["kind"], tone: PodEvent["tone"], text: string): void {
    this.book.add(kind, tone, text);
  }

  probes = () => this.state;
  pod = () => this.info;
  workers = () => this.workerList;
  config = () => this.configuration;
  upstreams = () => this.upstreamList;
  certificate = () => this.tls;
  routes = () => this.routeList;
  recentEvents = () => this.book.recent();
  ask = async (question: Question) => this.answer(question);
  subscribe = (listener: (event: PodEvent) => void) => {
    this.subscribed++;
    const leave = this.book.subscribe(listener);
    return () => {
      this.subscribed--;
      leave();
    };
  };
}
