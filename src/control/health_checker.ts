// Active checks of one upstream's endpoints, made once per pod.
//
// Called by `upstream_judge.ts`. Knows endpoints by identity: one that stays keeps its state and its rhythm
// whatever happens around it, one that joins is checked at once. Reports changes, decides nothing else.

import { checkKind } from "../config/derived.ts";
import type { HealthConfig } from "../config/schema.ts";
import type { UpstreamTlsSnapshot } from "../messages.ts";
import type { Clock } from "./clock.ts";
import { type CheckSettings, EndpointCheck, type HealthChange } from "./endpoint_check.ts";
import type { Probe, ProbeTarget } from "./probe.ts";

export interface CheckedEndpoint extends ProbeTarget {
  readonly id: string;
}

export interface HealthCheckerInputs {
  readonly clock: Clock;
  readonly probe: Probe;
  readonly onStateChange: (change: HealthChange & { readonly endpoint: string }) => void;
}

/** Endpoints that join together are checked at once, but no more than this many in the same moment ... */
const FIRST_CHECKS_AT_ONCE = 16;
/** ... and the next so many this much later: 500 endpoints within a third of a second. */
const FIRST_CHECKS_APART_MS = 10;

export class HealthChecker {
  private readonly checks = new Map<string, EndpointCheck>();
  /** Probes of endpoints that have left, until they have closed what they opened. */
  private readonly leaving = new Set<Promise<void>>();
  private settingsText = "";

  constructor(private readonly inputs: HealthCheckerInputs) {}

  /** The endpoints and settings from now on. New settings are tried at once; states are kept. */
  apply(config: HealthConfig, tls: UpstreamTlsSnapshot, endpoints: readonly CheckedEndpoint[]): void {
    const settings = checkSettings(config, tls);
    const settingsText = JSON.stringify(settings);
    const changed = settingsText !== this.settingsText;
    this.settingsText = settingsText;
    this.drop(new Set(endpoints.map((endpoint) => endpoint.id)));
    let firstChecks = 0;
    for (const endpoint of endpoints) {
      const known = this.checks.get(endpoint.id);
      if (known !== undefined) known.target = endpoint;
      if (known !== undefined && !changed) continue;
      const delayMs = Math.floor(firstChecks++ / FIRST_CHECKS_AT_ONCE) * FIRST_CHECKS_APART_MS;
      if (known !== undefined) known.reconfigure(settings, delayMs);
      else this.add(endpoint, settings, delayMs);
    }
  }

  private add(endpoint: CheckedEndpoint, settings: CheckSettings, delayMs: number): void {
    const check = new EndpointCheck(endpoint, settings, {
      clock: this.inputs.clock,
      probe: this.inputs.probe,
      onChange: (change) => {
        // While it is being made there is nobody to tell: it starts with what it finds.
        if (this.checks.has(endpoint.id)) {
          this.inputs.onStateChange({ endpoint: endpoint.id, ...change });
        }
      },
    });
    this.checks.set(endpoint.id, check);
    check.start(delayMs);
  }

  private drop(staying: ReadonlySet<string>): void {
    for (const [id, check] of this.checks) {
      if (staying.has(id)) continue;
      this.checks.delete(id);
      const stopped = check.stop();
      this.leaving.add(stopped);
      stopped.then(() => this.leaving.delete(stopped));
    }
  }

  /** What is known of an endpoint: its state, the reason, the last result. */
  check(id: string): EndpointCheck | undefined {
    return this.checks.get(id);
  }

  /** Settles when nothing is open any more. */
  async stop(): Promise<void> {
    this.drop(new Set());
    await Promise.all(this.leaving);
  }
}

function checkSettings(config: HealthConfig, tls: UpstreamTlsSnapshot): CheckSettings {
  const kind = checkKind(config);
  const { fall, rise, firstCheck, intervalMs, changingIntervalMs, timeoutMs, jitterPercent } = config;
  const probe = kind === "off"
    ? null
    : { kind, path: config.path ?? "/", host: config.host, expect: config.expect, tls };
  return { fall, rise, firstCheck, intervalMs, changingIntervalMs, timeoutMs, jitterPercent, probe };
}
