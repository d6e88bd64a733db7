// The operators' server: probes, metrics, status, explain and the dashboard, on a port of its own.
//
// Started once per pod by `pod/pod.ts`, on the main thread. It samples the board once a second, feeds the
// dashboards that listen, and stays up: an error is an answer of 500, and when listening itself breaks
// (out of file descriptors) it listens again. Knows the pod only through AdminView.

import { messageOf } from "../error_message.ts";
import { EventFeed, type EventFeedLimits } from "./event_feed.ts";
import { answer, type HandlerInputs, slowPages } from "./handler.ts";
import { PersistentServer } from "./persistent_server.ts";
import { read } from "./reading.ts";
import { status } from "./status.ts";
import type { Status } from "./status_shape.ts";
import { TrafficMeter } from "./traffic.ts";
import type { AdminView } from "./view.ts";

export interface AdminServerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly view: AdminView;
  /** Told in words what went wrong; nothing is thrown later. */
  readonly onProblem?: (problem: string) => void;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
  /** Milliseconds since 1970. */
  readonly date?: () => number;
  /** Calls back until the returned function is called. */
  readonly every?: (ms: number, tick: () => void) => () => void;
  readonly feedLimits?: EventFeedLimits;
}

export interface AdminServer {
  readonly port: number;
  /** Ends the dashboards' streams and stops listening. Idempotent. */
  close(): Promise<void>;
}

const SAMPLE_MS = 1_000;
/** Events that come thicker than this wait for the next sample. */
const BROADCAST_MS_MIN = 250;
const RECONNECT_MS = 2_000;

/** @throws Deno.errors.AddrInUse and the like, when the address cannot be had. */
export function startAdminServer(options: AdminServerOptions): AdminServer {
  const { view, every = interval, onProblem = () => {} } = options;
  const { now = () => performance.now(), date = Date.now } = options;
  const feed = new EventFeed(options.feedLimits);
  const live = new LiveStatus(view, feed, now, date);
  const inputs: HandlerInputs = {
    view,
    feed,
    slowPages: slowPages(view, () => live.status()),
    greeting: () => live.greeting(),
    onProblem,
  };
  const listening = new PersistentServer({
    host: options.host,
    port: options.port,
    handler: (request, peer) => answer(inputs, request, peer),
    onProblem,
  });
  const guarded = (act: () => void) => () => {
    try {
      act();
    } catch (error) {
      onProblem(`admin: a look at the pod failed: ${messageOf(error)}`);
    }
  };
  guarded(() => live.sample())();
  const stopSampling = every(SAMPLE_MS, guarded(() => live.sample()));
  const unsubscribe = view.subscribe(guarded(() => live.hurry()));
  let closing: Promise<void> | null = null;
  const close = () => {
    stopSampling();
    unsubscribe();
    feed.close();
    return listening.close();
  };
  return { port: listening.port, close: () => closing ??= close() };
}

/** The traffic meter and what the dashboards are told of it. */
class LiveStatus {
  private readonly meter = new TrafficMeter();
  private broadcastAt = -Infinity;

  constructor(
    private readonly view: AdminView,
    private readonly feed: EventFeed,
    private readonly now: () => number,
    private readonly date: () => number,
  ) {}

  status(): Status {
    return status(this.date(), read(this.view), this.meter, this.view.recentEvents());
  }

  /** Once a second. */
  sample(): void {
    this.meter.sample(this.now(), this.date(), read(this.view));
    this.broadcast();
  }

  /** Something happened: dashboards should not wait for the next sample. */
  hurry(): void {
    if (this.now() - this.broadcastAt >= BROADCAST_MS_MIN) this.broadcast();
  }

  greeting() {
    const points = JSON.stringify(this.meter.points());
    return [{ event: "history", data: points, retry: RECONNECT_MS }, this.message()];
  }

  private broadcast(): void {
    this.broadcastAt = this.now();
    if (this.feed.size > 0) this.feed.broadcast(this.message());
  }

  private message() {
    const { config: { effective: _long, ...config }, ...rest } = this.status();
    return { event: "status", data: JSON.stringify({ ...rest, config, point: this.meter.points().at(-1) }) };
  }
}

function interval(ms: number, tick: () => void): () => void {
  const id = setInterval(tick, ms);
  return () => clearInterval(id);
}
