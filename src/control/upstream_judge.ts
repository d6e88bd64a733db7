// The verdicts on one upstream's endpoints: joins checks, ejection, drain and slow start into what the board
// says of each, for workers to read on every pick.
//
// Called by `health_monitor.ts`. Keyed by endpoint identity, so that what is known survives a new snapshot.
// `apply()` writes every verdict before it returns: a snapshot published afterwards shows no endpoint whose
// verdict is not there. The board is written only when a verdict changed: workers rebuild lists on each.

import { EndpointState } from "../board/verdicts.ts";
import type { TrafficCounts } from "./ejection.ts";
import { HealthChecker } from "./health_checker.ts";
import { checksAllow } from "./health_state.ts";
import type { JudgedEndpoint, JudgedUpstream, JudgeInputs } from "./judgement.ts";
import { OutlierDetector } from "./outlier_detector.ts";
import { type EndpointStatus, endpointStatus } from "./endpoint_status.ts";
import { FULL_PERMILLE, ServiceTimes, startsSlowly, weightPermille } from "./slow_start.ts";

/**
 * A ramp moves in so many steps, and all ramps of an upstream at the same moments: every moment makes all workers
 * rebuild their lists, however many endpoints ramp.
 */
const RAMP_STEPS = 20;
const RAMP_STEP_PERMILLE = FULL_PERMILLE / RAMP_STEPS;

/** One endpoint's verdict, and what it depends on besides checks and ejection. */
interface Member {
  endpoint: JudgedEndpoint;
  /** EndpointState bits. */
  state: number;
  weightPermille: number;
  /** What stands on the board, to write only changes; null before. */
  written: { readonly state: number; readonly weightPermille: number } | null;
  /** When it entered service, monotonic milliseconds; null while it is out. */
  servesSince: number | null;
  /** Monotonic milliseconds; null at full weight. */
  rampFrom: number | null;
}

export class UpstreamJudge {
  private readonly members = new Map<string, Member>();
  /** Of those that are in service. */
  private readonly times = new ServiceTimes();
  private readonly checker: HealthChecker;
  private readonly detector: OutlierDetector;
  /** Whether any check had passed when all were judged last. */
  private groupHadPassed = false;

  constructor(private upstream: JudgedUpstream, private readonly inputs: JudgeInputs) {
    const name = upstream.name;
    const { clock, probe, events } = inputs;
    this.checker = new HealthChecker({
      clock,
      probe,
      onStateChange: (change) => {
        this.judgeChecked(change.endpoint);
        events.onHealthChange({ upstream: name, ...change });
      },
    });
    this.detector = new OutlierDetector(upstream.ejection, this.trafficCounts(), {
      onEjected: (ejection) => events.onEjected({ upstream: name, ...ejection }),
      onReturned: (returned) => events.onReturned({ upstream: name, ...returned }),
    });
    this.apply(upstream);
  }

  /** Takes over a newer configuration or set of endpoints. To be called before the snapshot is published. */
  apply(upstream: JudgedUpstream): void {
    this.upstream = upstream;
    this.detector.configure(upstream.ejection);
    this.dismissLeavers(new Set(upstream.endpoints.map((endpoint) => endpoint.id)));
    for (const endpoint of upstream.endpoints) this.admit(endpoint);
    this.checker.apply(upstream.health, upstream.tls, upstream.endpoints);
    this.judge();
  }

  private admit(endpoint: JudgedEndpoint): void {
    const known = this.members.get(endpoint.id);
    if (known !== undefined) {
      if (known.endpoint.row !== endpoint.row) known.written = null;
      known.endpoint = endpoint;
      return;
    }
    // A row keeps its figures while its owner is away: what failed before it left must not eject it now.
    this.inputs.counts.forgetFailures(endpoint.row);
    this.members.set(endpoint.id, {
      endpoint,
      state: EndpointState.unchecked,
      weightPermille: FULL_PERMILLE,
      written: null,
      servesSince: null,
      rampFrom: null,
    });
  }

  /** Workers that still have the older snapshot send nothing more to those that left. */
  private dismissLeavers(staying: ReadonlySet<string>): void {
    for (const [id, member] of this.members) {
      if (staying.has(id)) continue;
      this.members.delete(id);
      this.leaveService(member);
      this.inputs.verdicts.write(
        this.upstream.row,
        member.endpoint.row,
        EndpointState.leaving,
        member.weightPermille,
      );
    }
  }

  /** To be called a few times a second: judges traffic, ends ejections, moves ramps. */
  tick(): void {
    const group = [...this.members].map(([id, member]) => ({
      id,
      inService: (member.state & ~EndpointState.ejected) === 0,
      standsBy: member.state === EndpointState.draining,
    }));
    this.detector.tick(this.inputs.clock.now(), group);
    this.judge();
  }

  /** Ends all checks; settles when nothing is open any more. The last verdicts stand. */
  async stop(): Promise<void> {
    await this.checker.stop();
  }

  /** Undefined for an endpoint that is not of the upstream. */
  describe(id: string): EndpointStatus | undefined {
    const check = this.checker.check(id);
    return check && endpointStatus(check, this.detector.status(id), this.inputs.clock);
  }

  private judge(): void {
    this.groupHadPassed = this.groupHasPassed();
    const now = this.inputs.clock.now();
    // Who leaves service does so before others enter it.
    for (const [id, member] of this.members) this.assess(id, member);
    for (const member of this.members.values()) this.settle(member, now);
  }

  /**
   * The checks of one endpoint say something else. The others are looked at only if it changes what their checks mean,
   * as the first of the group that passes does: where thousands join together, each has a first check.
   */
  private judgeChecked(id: string): void {
    if (!this.groupHadPassed && this.hasPassed(id)) return this.judge();
    const member = this.members.get(id)!;
    this.assess(id, member);
    this.settle(member, this.inputs.clock.now());
  }

  private assess(id: string, member: Member): void {
    member.state = this.stateOf(id, member);
    if (member.state !== 0) this.leaveService(member);
  }

  private settle(member: Member, now: number): void {
    this.ramp(member, now);
    this.write(member);
  }

  private groupHasPassed(): boolean {
    for (const id of this.members.keys()) if (this.hasPassed(id)) return true;
    return false;
  }

  private hasPassed(id: string): boolean {
    return this.checker.check(id)?.state.hasPassed === true;
  }

  private stateOf(id: string, member: Member): number {
    const health = this.checker.check(id)?.state.health ?? "unchecked";
    let state = 0;
    if (!checksAllow(health, this.groupHadPassed)) {
      state |= health === "unchecked" ? EndpointState.unchecked : EndpointState.unhealthy;
    }
    if (this.detector.isEjected(id)) state |= EndpointState.ejected;
    if (member.endpoint.drain) state |= EndpointState.draining;
    return state;
  }

  private ramp(member: Member, now: number): void {
    if (member.state === 0 && member.servesSince === null) {
      member.rampFrom = startsSlowly(this.times.firstMs, now, this.upstream.slowStart) ? now : null;
      member.servesSince = now;
      this.times.enter(now);
    }
    if (member.rampFrom === null) {
      member.weightPermille = FULL_PERMILLE;
      return;
    }
    const stepMs = this.upstream.slowStart.windowMs / RAMP_STEPS;
    const elapsedMs = Math.floor(now / stepMs) * stepMs - member.rampFrom;
    const share = weightPermille(this.upstream.slowStart, elapsedMs);
    const step = Math.ceil(share / RAMP_STEP_PERMILLE) * RAMP_STEP_PERMILLE;
    // The start is the operator's word, and may be less than a step.
    member.weightPermille = elapsedMs <= 0 ? share : Math.min(step, FULL_PERMILLE);
    if (member.weightPermille === FULL_PERMILLE) member.rampFrom = null;
  }

  private leaveService(member: Member): void {
    if (member.servesSince !== null) this.times.leave(member.servesSince);
    member.servesSince = member.rampFrom = null;
  }

  private write(member: Member): void {
    const { state, weightPermille, written } = member;
    if (written !== null && written.state === state && written.weightPermille === weightPermille) return;
    member.written = { state, weightPermille };
    this.inputs.verdicts.write(this.upstream.row, member.endpoint.row, state, weightPermille);
  }

  private trafficCounts(): TrafficCounts {
    const { counts } = this.inputs;
    const row = (id: string) => this.members.get(id)!.endpoint.row;
    return {
      consecutiveFailures: (id) => counts.consecutiveFailures(row(id)),
      attempts: (id) => counts.attempts(row(id)),
      gatewayFailures: (id) => counts.gatewayFailures(row(id)),
      forgetFailures: (id) => counts.forgetFailures(row(id)),
    };
  }
}
