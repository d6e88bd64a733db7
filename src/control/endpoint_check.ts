// The checks of one endpoint, one after the other, for as long as it is in its group.
//
// Called by `health_checker.ts`. At most one probe runs at a time and its time is limited; the next is due an
// interval after the start of the last, sooner while the endpoint is between states. The last result stays,
// so that an operator sees what Weir saw.

import type { TlsHistory } from "../upstream/tls_silence.ts";
import { type Cancel, type Clock, jittered } from "./clock.ts";
import { type Health, type HealthRules, HealthState } from "./health_state.ts";
import type { Probe, ProbeOutcome, ProbeSettings, ProbeTarget } from "./probe.ts";

export interface CheckSettings extends HealthRules {
  readonly intervalMs: number;
  readonly changingIntervalMs: number;
  readonly timeoutMs: number;
  readonly jitterPercent: number;
  /** Null: nothing is checked, the endpoint counts as healthy. */
  readonly probe: ProbeSettings | null;
}

/** One check that was made. */
export interface CheckResult extends ProbeOutcome {
  /** When it ended, milliseconds since 1970. */
  readonly at: number;
  readonly durationMs: number;
}

export interface HealthChange {
  readonly from: Health;
  readonly to: Health;
  readonly reason: string;
}

export interface CheckInputs {
  readonly clock: Clock;
  readonly probe: Probe;
  readonly onChange: (change: HealthChange) => void;
}

/** A check that used up its interval is followed by the next after this, not at once. */
const PAUSE_MIN_MS = 10;

export class EndpointCheck {
  readonly state: HealthState;
  /** The last result; null before the first one, and while nothing is checked. */
  last: CheckResult | null = null;
  /** Checks so far, by how they ended. */
  readonly counts = { passed: 0, failed: 0 };
  /** Why the state is what it is. */
  reason: string;
  private cancelNext: Cancel = () => {};
  private running: Promise<void> | null = null;
  private abort: AbortController | null = null;
  private readonly tlsHistory: TlsHistory = { silent: false };
  /** Counts up when what runs must not be counted any more. */
  private round = 0;

  constructor(
    public target: ProbeTarget,
    private settings: CheckSettings,
    private readonly inputs: CheckInputs,
  ) {
    this.state = new HealthState(settings);
    this.reason = "not checked yet";
    if (settings.probe === null) this.trust();
  }

  /** Makes the first check `delayMs` from now. */
  start(delayMs: number): void {
    if (this.settings.probe !== null) this.plan(delayMs);
  }

  /** Checks by other settings from now on; the state stays until new results change it. */
  reconfigure(settings: CheckSettings, delayMs: number): void {
    this.interrupt();
    this.settings = settings;
    this.state.rules = settings;
    if (settings.probe === null) this.trust();
    this.start(delayMs);
  }

  /** Ends checking; settles when the running probe has closed what it opened. */
  async stop(): Promise<void> {
    this.interrupt();
    await this.running;
  }

  private interrupt(): void {
    this.round++;
    this.cancelNext();
    this.abort?.abort();
  }

  private trust(): void {
    const from = this.state.trust();
    this.reason = "checks are off";
    // Nothing would ever take the place of what the last one saw.
    this.last = null;
    if (from !== null) this.changed(from);
  }

  private plan(delayMs: number): void {
    const round = this.round;
    this.cancelNext = this.inputs.clock.after(delayMs, () => {
      // After a reconfiguration the probe before may still be closing: both are waited for at the end.
      this.running = Promise.all([this.running, this.check(round)]).then(() => {});
    });
  }

  private async check(round: number): Promise<void> {
    const { clock } = this.inputs;
    const startedAt = clock.now();
    const outcome = await this.probeInTime();
    if (round !== this.round) return;
    const durationMs = clock.now() - startedAt;
    this.note({ ...outcome, at: clock.date(), durationMs });
    const { intervalMs, changingIntervalMs, jitterPercent } = this.settings;
    const interval = this.state.changing ? Math.min(changingIntervalMs, intervalMs) : intervalMs;
    const due = jittered(interval, jitterPercent, clock.random()) - durationMs;
    this.plan(Math.max(due, PAUSE_MIN_MS));
  }

  private async probeInTime(): Promise<ProbeOutcome> {
    const { timeoutMs, probe: settings } = this.settings;
    if (settings === null) return { passed: true, reason: "checks are off" };
    const abort = this.abort = new AbortController();
    let late = false;
    const cancel = this.inputs.clock.after(timeoutMs, () => {
      late = true;
      abort.abort();
    });
    const outcome = await this.inputs.probe(this.target, settings, abort.signal, this.tlsHistory);
    cancel();
    return late ? { passed: false, reason: `no answer within ${timeoutMs} ms` } : outcome;
  }

  private note(result: CheckResult): void {
    this.last = result;
    if (result.local) return;
    this.counts[result.passed ? "passed" : "failed"]++;
    const from = this.state.record(result.passed);
    if (from === null && this.state.health !== "unchecked") return;
    this.reason = result.reason;
    if (from !== null) this.changed(from);
  }

  private changed(from: Health): void {
    this.inputs.onChange({ from, to: this.state.health, reason: this.reason });
  }
}
