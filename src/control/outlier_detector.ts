// Passive checks: takes endpoints out of a group that fail real requests, for a while.
//
// Pure: `upstream_judge.ts` calls `tick()` a few times a second with the time and the group; the counts are
// the whole pod's. Two reasons eject: gateway failures in a row, and a share of failures in an interval
// that the rest of the group does not have. It always holds that the group keeps `100 - ejectedPercentMax`
// percent of its endpoints (one may always go, if two are there) and its last endpoint in service.

import type { EjectionConfig } from "../config/schema.ts";
import type {
  Ejection,
  EjectionKind,
  EjectionStatus,
  GroupMember,
  OutlierEvents,
  TrafficCounts,
} from "./ejection.ts";
import { ejectedMax, type Outcomes, percentOf, sum } from "./outlier_shares.ts";

interface Suspect {
  /** At the last tick, ejection aside. */
  inService: boolean;
  until: number | null;
  times: number;
  reason: string;
  readonly counts: Record<EjectionKind, number>;
  /** Failures in a row at the last tick. */
  inARow: number;
  /** Monotonic milliseconds from which good service counts. */
  goodSince: number;
  /** Totals at the start of the interval. */
  attemptsBefore: number;
  failuresBefore: number;
}

const NO_EJECTIONS = { consecutive_failures: 0, failure_percent: 0 };
const UNSUSPECTED: EjectionStatus = { until: null, times: 0, reason: "", counts: NO_EJECTIONS };

export class OutlierDetector {
  private readonly suspects = new Map<string, Suspect>();
  private intervalStartedAt: number | null = null;
  /** How many may still go in this tick; counted once, as a whole group of thousands may be failing. */
  private room = 0;

  constructor(
    private config: EjectionConfig,
    private readonly counts: TrafficCounts,
    private readonly events: OutlierEvents,
  ) {}

  /** Judges by other rules from the next tick on. */
  configure(config: EjectionConfig): void {
    this.config = config;
  }

  status(id: string): EjectionStatus {
    return this.suspects.get(id) ?? UNSUSPECTED;
  }

  isEjected(id: string): boolean {
    return this.status(id).until !== null;
  }

  /** @param now monotonic milliseconds */
  tick(now: number, group: readonly GroupMember[]): void {
    this.follow(now, group);
    this.returnThoseDue(now);
    this.returnThoseTooMany(now, group.length);
    this.returnTheLast(now, group);
    this.forgive(now);
    this.room = this.roomIn(group.length);
    this.judgeFailuresInARow(now, group);
    this.intervalStartedAt ??= now;
    if (now - this.intervalStartedAt < this.config.intervalMs) return;
    this.judgeShares(now, group, now - this.intervalStartedAt);
    this.intervalStartedAt = now;
  }

  private follow(now: number, group: readonly GroupMember[]): void {
    const staying = new Set(group.map((member) => member.id));
    for (const id of this.suspects.keys()) if (!staying.has(id)) this.suspects.delete(id);
    for (const { id, inService } of group) {
      const suspect = this.suspects.get(id);
      if (suspect === undefined) {
        const attemptsBefore = this.counts.attempts(id);
        const failuresBefore = this.counts.gatewayFailures(id);
        this.suspects.set(id, {
          ...UNSUSPECTED,
          counts: { ...NO_EJECTIONS },
          inService,
          inARow: 0,
          goodSince: now,
          attemptsBefore,
          failuresBefore,
        });
        continue;
      }
      // What failed before its checks took it out must not eject it when they let it back in.
      if (inService && !suspect.inService) this.forget(id, suspect);
      suspect.inService = inService;
    }
  }

  private returnThoseDue(now: number): void {
    for (const [id, suspect] of this.suspects) {
      if (suspect.until === null) continue;
      if (!this.config.enabled) this.return(id, suspect, now, "ejection is off");
      else if (suspect.until <= now) this.return(id, suspect, now, "its time is over");
    }
  }

  /** The group has shrunk, or the limit has: the first to be due return early. */
  private returnThoseTooMany(now: number, groupSize: number): void {
    const out = this.ejected().sort(([, a], [, b]) => a.until! - b.until!);
    const tooMany = out.length - ejectedMax(groupSize, this.config.ejectedPercentMax);
    for (const [id, suspect] of out.slice(0, Math.max(tooMany, 0))) {
      this.return(id, suspect, now, "too much of the group would be ejected");
    }
  }

  /** The others have fallen beside them: whoever fails now and then is better than nobody. */
  private returnTheLast(now: number, group: readonly GroupMember[]): void {
    if (this.serving() > 0 || group.some(({ standsBy }) => standsBy)) return;
    for (const [id, suspect] of this.ejected()) {
      if (suspect.inService) this.return(id, suspect, now, "nobody else serves");
    }
  }

  private ejected(): [string, Suspect][] {
    return [...this.suspects].filter(([, suspect]) => suspect.until !== null);
  }

  /** How many take traffic. */
  private serving(): number {
    return [...this.suspects.values()].filter(({ inService, until }) => inService && until === null).length;
  }

  private return(id: string, suspect: Suspect, now: number, reason: string): void {
    suspect.until = null;
    suspect.goodSince = now;
    // What failed before or during the ejection must not eject again.
    this.forget(id, suspect);
    this.events.onReturned({ endpoint: id, reason });
  }

  private forget(id: string, suspect: Suspect): void {
    this.counts.forgetFailures(id);
    suspect.attemptsBefore = this.counts.attempts(id);
    suspect.failuresBefore = this.counts.gatewayFailures(id);
  }

  private forgive(now: number): void {
    const { baseMs, capMs } = this.config;
    for (const suspect of this.suspects.values()) {
      if (suspect.until !== null || suspect.times === 0) continue;
      if (now - suspect.goodSince < baseMs) continue;
      // What the cap has cut off need not be served off: a day of failures would count for hours.
      suspect.times = Math.min(suspect.times, Math.ceil(capMs / baseMs)) - 1;
      suspect.goodSince += baseMs;
    }
  }

  private judgeFailuresInARow(now: number, group: readonly GroupMember[]): void {
    const failing = group
      .map(({ id }) => ({ id, before: this.suspects.get(id)!.inARow, failures: this.failuresInARow(id) }))
      // One for which there was no room, or no rule, goes when it fails again: it may be well by now.
      .filter(({ before, failures }) => failures !== before && failures >= this.config.consecutiveFailures)
      // When not all may go, the worst go.
      .sort((a, b) => b.failures - a.failures);
    if (!this.config.enabled) return;
    for (const { id, failures } of failing) {
      const reason = `${failures} gateway failures in a row`;
      this.ejectIfAllowed(id, now, { kind: "consecutive_failures", reason });
    }
  }

  private failuresInARow(id: string): number {
    return this.suspects.get(id)!.inARow = this.counts.consecutiveFailures(id);
  }

  private judgeShares(now: number, group: readonly GroupMember[], intervalMs: number): void {
    const deltas = group.map(({ id }) => ({ id, ...this.delta(id) }));
    // Intervals pass while ejection is off, too: what came in meanwhile is not judged when it is on.
    if (!this.config.enabled) return;
    const all = sum(deltas);
    const { requestsMin, failurePercent } = this.config;
    for (const { id, attempts, failures } of deltas) {
      const share = percentOf(failures, attempts);
      if (attempts < requestsMin || share < failurePercent) continue;
      const others = percentOf(all.failures - failures, all.attempts - attempts);
      // When the others fail as well, the cause is probably not this endpoint.
      if (others >= failurePercent / 2) continue;
      const seen = `${Math.floor(share)} % of ${attempts} requests failed in ${Math.round(intervalMs)} ms`;
      const reason = `${seen}, ${Math.floor(others)} % at the others`;
      this.ejectIfAllowed(id, now, { kind: "failure_percent", reason });
    }
  }

  /** What came in since the start of the interval; the next interval starts. */
  private delta(id: string): Outcomes {
    const suspect = this.suspects.get(id)!;
    const attempts = this.counts.attempts(id);
    const gatewayFailures = this.counts.gatewayFailures(id);
    // While a dead worker's totals move, a sum may run back for a moment.
    const outcomes = {
      attempts: Math.max(0, attempts - suspect.attemptsBefore),
      failures: Math.max(0, gatewayFailures - suspect.failuresBefore),
    };
    suspect.attemptsBefore = attempts;
    suspect.failuresBefore = gatewayFailures;
    return outcomes;
  }

  private ejectIfAllowed(id: string, now: number, cause: Cause): void {
    const suspect = this.suspects.get(id)!;
    // What is out of service already takes no traffic, and must not use up the room of others.
    if (suspect.until !== null || !suspect.inService || this.room <= 0) return;
    this.room--;
    const { baseMs, capMs } = this.config;
    suspect.times++;
    suspect.counts[cause.kind]++;
    suspect.reason = cause.reason;
    const forMs = Math.min(baseMs * suspect.times, capMs);
    suspect.until = now + forMs;
    this.events.onEjected({ endpoint: id, ...cause, forMs, times: suspect.times });
  }

  /** As many as the limit allows besides those that are out, but not the last one in service. */
  private roomIn(groupSize: number): number {
    const allowed = ejectedMax(groupSize, this.config.ejectedPercentMax) - this.ejected().length;
    return Math.min(allowed, this.serving() - 1);
  }
}

type Cause = Pick<Ejection, "kind" | "reason">;
