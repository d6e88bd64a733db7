// What the results of checks say about one endpoint: the rules of fall, rise and the first check.
//
// Pure: called by `endpoint_check.ts` with each result. An endpoint that joins is `unchecked` until its first
// pass makes it healthy or `fall` failures in a row make it unhealthy; with `assume_healthy` it starts
// healthy. Later it takes `fall` failures in a row to fall and `rise` passes in a row to rise.

import type { HealthConfig } from "../config/schema.ts";

export type Health = "unchecked" | "healthy" | "unhealthy";

export type HealthRules = Pick<HealthConfig, "fall" | "rise" | "firstCheck">;

export class HealthState {
  /** Passes since the last failure. */
  private passes = 0;
  /** Failures since the last pass. */
  failures = 0;
  health: Health;
  /** True once a check passed, or where none is awaited. */
  hasPassed: boolean;

  constructor(public rules: HealthRules) {
    const trusted = rules.firstCheck === "assume_healthy";
    this.health = trusted ? "healthy" : "unchecked";
    this.hasPassed = trusted;
  }

  /** True while the next results may change the state: time to look more often. */
  get changing(): boolean {
    if (this.health === "healthy") return this.failures > 0;
    return this.health === "unchecked" || this.passes > 0;
  }

  /** Takes a result in; the state before when it changed, else null. */
  record(passed: boolean): Health | null {
    this.passes = passed ? this.passes + 1 : 0;
    this.failures = passed ? 0 : this.failures + 1;
    if (passed) this.hasPassed = true;
    return this.moveTo(this.verdict());
  }

  /** Nothing is checked any more: what is not known to be bad is good. */
  trust(): Health | null {
    this.passes = this.failures = 0;
    this.hasPassed = true;
    return this.moveTo("healthy");
  }

  private verdict(): Health {
    const { fall, rise } = this.rules;
    if (this.failures >= fall) return "unhealthy";
    if (this.passes >= (this.health === "unchecked" ? 1 : rise)) return "healthy";
    return this.health;
  }

  private moveTo(health: Health): Health | null {
    const before = this.health;
    this.health = health;
    return before === health ? null : before;
  }
}

/**
 * Whether checks let an endpoint take traffic.
 * @param groupHasPassed some endpoint that is in the group now has passed a check. Until one has (a cold
 * start), those that nothing is known of are used, so that no request is refused for lack of knowledge.
 */
export function checksAllow(health: Health, groupHasPassed: boolean): boolean {
  return health === "healthy" || (health === "unchecked" && !groupHasPassed);
}
