// Checks and ejections per endpoint since it was first seen: figures that judging itself does not need.

import type { EjectionReason } from "../admin/sources.ts";
import { EJECTION_REASONS } from "../admin/sources.ts";
import type { Probe } from "../control/probe.ts";

export interface EndpointTally {
  checksPassed: number;
  checksFailed: number;
  readonly ejections: Record<EjectionReason, number>;
}

export class Tally {
  private readonly checks = new Map<string, { passed: number; failed: number }>();
  private readonly ejected = new Map<string, Record<EjectionReason, number>>();

  /** A probe that counts what comes of it, by the address that it asks. */
  counting(probe: Probe): Probe {
    return async (target, settings, signal) => {
      const outcome = await probe(target, settings, signal);
      const key = `${target.scheme}://${target.authority}`;
      const counts = this.checks.get(key) ?? { passed: 0, failed: 0 };
      this.checks.set(key, counts);
      if (outcome.passed) counts.passed++;
      else counts.failed++;
      return outcome;
    };
  }

  countEjection(upstream: string, endpoint: string, reason: EjectionReason): void {
    this.ejectionsOf(`${upstream} ${endpoint}`)[reason]++;
  }

  private ejectionsOf(key: string): Record<EjectionReason, number> {
    const none = () =>
      Object.fromEntries(EJECTION_REASONS.map((reason) => [reason, 0])) as Record<EjectionReason, number>;
    const counts = this.ejected.get(key) ?? none();
    this.ejected.set(key, counts);
    return counts;
  }

  /** @param authority of the endpoint, with its scheme: what its checks are counted by */
  of(upstream: string, endpoint: string, authority: string): EndpointTally {
    const { passed, failed } = this.checks.get(authority) ?? { passed: 0, failed: 0 };
    return {
      checksPassed: passed,
      checksFailed: failed,
      ejections: this.ejectionsOf(`${upstream} ${endpoint}`),
    };
  }
}
