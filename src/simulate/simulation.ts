// One policy on one scenario: requests arrive, the real balancer picks, virtual endpoints answer.
//
// What decides is Weir's own code: the policies of `balance/`, the moving latency of `board/`, the slow start and the
// ejection of `control/`. What is simulated is time, chance and the endpoints. There are no retries, so every failure
// of an endpoint is one that its client would see.

import type { PickContext } from "../balance/balancer.ts";
import { makeBalancer } from "../balance/policies.ts";
import {
  type BalanceConfig,
  balanceSchema,
  type SlowStartConfig,
  slowStartSchema,
} from "../config/schema.ts";
import { FULL_PERMILLE, startsSlowly, weightPermille } from "../control/slow_start.ts";
import { Agenda } from "./agenda.ts";
import { exponential, seededRandom } from "./chance.ts";
import { Ejector } from "./ejector.ts";
import { SimulatedEndpoint } from "./endpoint.ts";
import type { Scenario } from "./scenarios.ts";

export interface SimulationOptions {
  readonly scenario: Scenario;
  readonly policy: BalanceConfig["policy"];
  readonly seed: number;
  /** Virtual seconds in which requests arrive. */
  readonly seconds: number;
}

export interface SimulationResult {
  readonly requests: number;
  readonly failures: number;
  /** Of each endpoint in the last third of the run, 0 to 1, in the scenario's order. */
  readonly shares: readonly number[];
  /** Requests of each endpoint in the whole run. */
  readonly attempts: readonly number[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** How often the control plane looks: weights change then. */
const TICK_MS = 250;
const CLIENTS = 5_000;

export function simulate(options: SimulationOptions): SimulationResult {
  return new Simulation(options).run();
}

class Simulation {
  private readonly agenda = new Agenda();
  private readonly random: () => number;
  private readonly endpoints: readonly SimulatedEndpoint[];
  private readonly joined = new Set<SimulatedEndpoint>();
  /** Who entered first stands first. */
  private readonly servingSince = new Map<SimulatedEndpoint, number>();
  private readonly ramping = new Set<SimulatedEndpoint>();
  private readonly ejector: Ejector;
  private candidates: readonly SimulatedEndpoint[] = [];
  private readonly slowStart: SlowStartConfig = slowStartSchema.parse({});
  private readonly latenciesMs: number[] = [];
  private failures = 0;
  private readonly endMs: number;

  constructor(private readonly options: SimulationOptions) {
    this.random = seededRandom(options.seed);
    this.endMs = options.seconds * 1_000;
    const { decayMs } = balanceSchema.parse({});
    const inputs = { agenda: this.agenda, random: this.random, decayMs };
    this.endpoints = options.scenario.endpoints.map((plan, i) =>
      new SimulatedEndpoint(`http://10.0.0.${i + 1}:80`, plan, inputs)
    );
    this.ejector = new Ejector(this.endpoints);
  }

  run(): SimulationResult {
    const { agenda, endMs } = this;
    for (let atMs = 0; atMs < endMs; atMs += TICK_MS) agenda.at(atMs, () => this.tick());
    const before: number[] = [];
    agenda.at(endMs * 2 / 3, () => before.push(...this.endpoints.map(({ attempts }) => attempts)));
    this.letRequestsArrive();
    agenda.run();
    return this.result(before);
  }

  private letRequestsArrive(): void {
    const { agenda, random, options: { scenario, policy } } = this;
    let turns = 0;
    const balancer = makeBalancer(balanceSchema.parse({ policy }), {
      random,
      now: () => agenda.nowMs,
      turn: () => turns++,
    });
    const arrive = () => {
      if (agenda.nowMs >= this.endMs) return;
      const endpoint = balancer.pick(this.candidates, requestOf(Math.floor(random() * CLIENTS)));
      endpoint.take((latencyMs) => this.record(latencyMs, endpoint));
      agenda.after(exponential(random, 1_000 / scenario.requestsPerSecond), arrive);
    };
    agenda.after(0, arrive);
  }

  private record(latencyMs: number, endpoint: SimulatedEndpoint): void {
    if (endpoint.plan.fails) this.failures++;
    else this.latenciesMs.push(latencyMs);
  }

  /** What the control plane does: endpoints join, ramp up, are ejected. A new list only when that changes. */
  private tick(): void {
    const { nowMs } = this.agenda;
    const ejections = this.ejector.changes;
    this.ejector.tick(nowMs, (endpoint) => this.joined.has(endpoint));
    for (const endpoint of this.endpoints) {
      if (nowMs >= endpoint.plan.joinsAfter * this.endMs) this.joined.add(endpoint);
      if (this.ejector.isEjected(endpoint)) this.leaveService(endpoint);
    }
    const entered = this.enterService();
    const ramped = this.ramp();
    if (!entered && !ramped && this.ejector.changes === ejections) return;
    this.candidates = this.endpoints.filter((endpoint) => this.servingSince.has(endpoint));
  }

  private leaveService(endpoint: SimulatedEndpoint): void {
    this.servingSince.delete(endpoint);
    this.ramping.delete(endpoint);
    endpoint.permille = FULL_PERMILLE;
  }

  /** Whether anybody who joined, or is ejected no more, did. */
  private enterService(): boolean {
    const { nowMs } = this.agenda;
    const entering = [...this.joined].filter((endpoint) =>
      !this.servingSince.has(endpoint) && !this.ejector.isEjected(endpoint)
    );
    const firstSinceMs = this.servingSince.values().next().value ?? null;
    for (const endpoint of entering) {
      this.servingSince.set(endpoint, nowMs);
      if (startsSlowly(firstSinceMs, nowMs, this.slowStart)) this.ramping.add(endpoint);
    }
    return entering.length > 0;
  }

  /** Whether any weight changed. */
  private ramp(): boolean {
    const changed = this.ramping.size > 0;
    for (const endpoint of this.ramping) {
      endpoint.permille = weightPermille(
        this.slowStart,
        this.agenda.nowMs - this.servingSince.get(endpoint)!,
      );
      if (endpoint.permille === FULL_PERMILLE) this.ramping.delete(endpoint);
    }
    return changed;
  }

  private result(before: readonly number[]): SimulationResult {
    const attempts = this.endpoints.map((endpoint) => endpoint.attempts);
    const late = attempts.map((count, i) => count - before[i]!);
    const lateTotal = late.reduce((sum, count) => sum + count, 0);
    const sorted = Float64Array.from(this.latenciesMs).sort();
    return {
      requests: attempts.reduce((sum, count) => sum + count, 0),
      failures: this.failures,
      shares: late.map((count) => count / lateTotal),
      attempts,
      p50Ms: quantile(sorted, 0.5),
      p99Ms: quantile(sorted, 0.99),
      maxMs: sorted.at(-1) ?? 0,
    };
  }
}

function requestOf(client: number): PickContext {
  return { head: HEAD, clientAddress: `10.1.${client >> 8}.${client & 255}` };
}

const HEAD: PickContext["head"] = {
  method: "GET",
  target: "/",
  authority: "example.org",
  scheme: "http",
  version: "1.1",
  headers: [],
};

/** The smallest value that at least `share` of the sorted values do not exceed. */
function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
