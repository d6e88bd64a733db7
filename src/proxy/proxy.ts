// The state of one event loop's proxy: the newest snapshot made ready for traffic.
//
// `event_loop.ts` makes one and hands every exchange of its listener to `handle`. Applying a snapshot keeps what
// did not change: upstreams by name, endpoints by identity, with their pools and counts.

import { PodCell } from "../board/layout.ts";
import type { OwnColumn } from "../board/own.ts";
import type { RequestHead, Unacceptable } from "../exchange.ts";
import type { EndpointsChange, RouteSnapshot, Snapshot, UpstreamSnapshot } from "../messages.ts";
import { makeRouter, type Router } from "../routing/router.ts";
import type { TimerWheel } from "../timer_wheel.ts";
import type { Tracer } from "../tracing/tracer.ts";
import { Pools } from "../upstream/pools.ts";
import { AccessLog } from "./access_log.ts";
import { Admission } from "./admission.ts";
import { TrustedProxies } from "./client_address.ts";
import { Exemplars } from "./exemplars.ts";
import { type Group, type GroupInputs, makeGroup, refreshGroup } from "./group.ts";
import { Identity } from "./identity.ts";
import { OpenSockets } from "./open_sockets.ts";
import { RateLimiter } from "./rate_limiter.ts";
import { Recorder } from "./recorder.ts";
import { RoutePlan } from "./route_plan.ts";
import { StoryRing } from "./story_ring.ts";
import type { Turnstile } from "./turnstile.ts";

/** What comes in from outside, so that a proxy is exact in tests. */
export interface ProxyInputs {
  readonly own: OwnColumn;
  readonly wheel: TimerWheel;
  /** Where requests begin. */
  readonly turnstile: Turnstile;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly epoch: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** A new request id. */
  readonly makeId: () => string;
  /** Unique per process. */
  readonly instance: string;
  /** How clients speak to the traffic port. */
  readonly scheme: "http" | "https";
  /** The traffic port can hand over a connection after 101. */
  readonly tunnels: boolean;
  /** Why the traffic port refuses a head itself, or null: for one that did not come in by it. */
  readonly headRefusal: (head: RequestHead) => Unacceptable | null;
  /** Path on the traffic port that answers like /readyz; null when there is none. */
  readonly readyPath: string | null;
  /** Strict-Transport-Security max-age of answers over https, seconds; 0 is none. */
  readonly hstsMaxAgeS: number;
  /** Makes traces of requests; null: there are none. */
  readonly tracer: Tracer | null;
  /** Takes whole log lines, out of memory that is written again. */
  readonly writeLog: (lines: Uint8Array) => void;
  /** A bug: the request was answered 500. */
  readonly onInternalError: (error: unknown) => void;
}

export class Proxy {
  readonly admission: Admission;
  readonly recorder: Recorder;
  readonly log: AccessLog;
  readonly stories: StoryRing;
  readonly openSockets: OpenSockets;
  readonly rates: RateLimiter;
  readonly exemplars = new Exemplars();
  snapshot!: Snapshot;
  router!: Router;
  trusted!: TrustedProxies;
  identity!: Identity;
  /** True while answers ask clients to leave. */
  draining = false;
  /** True from the deadline of the drain on: requests end because Weir does. */
  cutting = false;
  readonly pools = new Pools();
  private readonly groupInputs: GroupInputs;
  private groups = new Map<string, Group>();
  private plans = new Map<RouteSnapshot, RoutePlan>();

  constructor(readonly inputs: ProxyInputs, snapshot: Snapshot) {
    const { own, wheel, now, epoch, random, instance, writeLog } = inputs;
    this.admission = new Admission(own);
    this.openSockets = new OpenSockets(wheel);
    this.log = new AccessLog(snapshot.accessLog, wheel, random, writeLog);
    this.stories = new StoryRing(snapshot.explainRequestsMax);
    this.groupInputs = { own, wheel, now, random, pools: this.pools };
    this.rates = new RateLimiter({ board: own.board, now, random, salt: instance });
    this.recorder = new Recorder(own, this.log, this.stories, now, epoch);
    this.apply(snapshot);
  }

  /** Takes over a newer snapshot. */
  apply(snapshot: Snapshot): void {
    this.snapshot = snapshot;
    const before = this.groups;
    this.groups = new Map();
    for (const upstream of snapshot.upstreams) this.groups.set(upstream.name, this.keep(before, upstream));
    for (const [name, group] of before) if (this.groups.get(name) !== group) group.upstream.retire();
    this.router = makeRouter(snapshot.routes);
    this.plans = new Map();
    this.trusted = new TrustedProxies(snapshot.trustedProxies);
    const pseudonym = `${snapshot.headers.via}-${this.inputs.instance}`;
    this.identity = new Identity(pseudonym, snapshot.headers);
    this.log.apply(snapshot.accessLog);
    this.stories.resize(snapshot.explainRequestsMax);
  }

  /** Takes over what discovery found for one upstream. */
  changeEndpoints(change: EndpointsChange): void {
    const group = this.groups.get(change.upstream);
    if (group === undefined) return;
    group.upstream.change(change);
    group.sticky?.change(change);
    group.queue.poke();
  }

  private keep(before: ReadonlyMap<string, Group>, snapshot: UpstreamSnapshot): Group {
    const { stickyKey } = this.snapshot;
    const group = before.get(snapshot.name);
    if (group === undefined || group.upstream.row !== snapshot.row) {
      return makeGroup(snapshot, stickyKey, this.groupInputs);
    }
    refreshGroup(group, snapshot, stickyKey, this.groupInputs);
    return group;
  }

  /** Whether the pod takes new clients, as the control plane has written it on the board. */
  get ready(): boolean {
    const { int32, layout } = this.inputs.own.board;
    return Atomics.load(int32, layout.podCell(PodCell.ready)) === 1;
  }

  /** To be called now and then: what the board says of retry budgets is true while no request comes, too. */
  ageBudgets(): void {
    for (const { budget } of this.groups.values()) budget.age();
  }

  /** The plan of a route of the newest snapshot. */
  plan(route: RouteSnapshot): RoutePlan {
    let plan = this.plans.get(route);
    if (plan === undefined) {
      const { own, random } = this.inputs;
      plan = new RoutePlan(route, this.groups, own, random);
      this.plans.set(route, plan);
    }
    return plan;
  }

  /** Closes what idles; what is in flight goes on. */
  retire(): void {
    for (const { upstream } of this.groups.values()) upstream.retire();
    this.log.flush();
  }
}
