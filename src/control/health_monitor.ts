// The once-per-pod judgement over all upstreams: one judge each, and the tick that drives them.
//
// Called by `pod/publisher.ts` with every snapshot, before it is published, and by `pod/admin_view.ts` for status.

import { EndpointField } from "../board/fields.ts";
import { type Board, EndpointCell } from "../board/layout.ts";
import { Totals } from "../board/totals.ts";
import { Verdicts } from "../board/verdicts.ts";
import type { Cancel } from "./clock.ts";
import type { EndpointStatus } from "./endpoint_status.ts";
import type { JudgedUpstream, JudgeInputs, RowCounts } from "./judgement.ts";
import { UpstreamJudge } from "./upstream_judge.ts";

/** Short against the second in which a burst of failures would be felt, long against its cost. */
const TICK_MS = 200;

export class HealthMonitor {
  private readonly judges = new Map<string, UpstreamJudge>();
  private readonly stopping = new Set<Promise<void>>();
  private cancelTick: Cancel | null = null;

  constructor(private readonly inputs: JudgeInputs) {}

  /** All upstreams that there are from now on; those that stay keep what is known of their endpoints. */
  apply(upstreams: readonly JudgedUpstream[]): void {
    const staying = new Set(upstreams.map((upstream) => upstream.name));
    for (const name of this.judges.keys()) if (!staying.has(name)) this.dismiss(name);
    for (const upstream of upstreams) this.applyOne(upstream);
  }

  /** One upstream is new or has changed, the others stay as they are. */
  applyOne(upstream: JudgedUpstream): void {
    const judge = this.judges.get(upstream.name);
    if (judge === undefined) this.judges.set(upstream.name, new UpstreamJudge(upstream, this.inputs));
    else judge.apply(upstream);
    if (this.cancelTick === null) this.planTick();
  }

  /** What is known of an endpoint; undefined of one that is not judged. */
  describe(upstream: string, id: string): EndpointStatus | undefined {
    return this.judges.get(upstream)?.describe(id);
  }

  /** Settles when no check is open any more. The last verdicts stand. */
  async stop(): Promise<void> {
    this.cancelTick?.();
    this.cancelTick = null;
    for (const name of this.judges.keys()) this.dismiss(name);
    await Promise.all(this.stopping);
  }

  private dismiss(name: string): void {
    const stopped = this.judges.get(name)!.stop();
    this.judges.delete(name);
    this.stopping.add(stopped);
    stopped.then(() => this.stopping.delete(stopped));
  }

  private planTick(): void {
    this.cancelTick = this.inputs.clock.after(TICK_MS, () => {
      this.planTick();
      for (const judge of this.judges.values()) judge.tick();
    });
  }
}

/** The part of the inputs that is on the board. */
export function boardInputs(board: Board): Pick<JudgeInputs, "verdicts" | "counts"> {
  const verdicts = new Verdicts(board);
  const totals = new Totals(board);
  const counts: RowCounts = {
    consecutiveFailures: (row) => verdicts.consecutiveFailures(row),
    attempts: (row) => totals.endpoint(row, EndpointField.attempts),
    gatewayFailures: (row) => totals.endpoint(row, EndpointField.gatewayFailures),
    forgetFailures: (row) => {
      Atomics.store(board.int32, board.layout.endpointCell(row, EndpointCell.consecutiveFailures), 0);
    },
  };
  return { verdicts, counts };
}
