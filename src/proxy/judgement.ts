// What an attempt says of its endpoint: written into the attempt's record and counted on the board.

import { EndpointField } from "../board/fields.ts";
import type { Lease } from "../upstream/lease.ts";
import { describeFailure, isGatewayStatus, type Outcome } from "./failure.ts";
import type { Proxy } from "./proxy.ts";
import type { AttemptRecord } from "./record.ts";

/** Counts what the attempt came to. Clients that leave count against nobody. */
export function judge(
  outcome: Outcome,
  lease: Lease,
  entry: AttemptRecord,
  { inputs, recorder }: Pick<Proxy, "inputs" | "recorder">,
): void {
  const { endpoint } = lease;
  entry.reused = lease.reused;
  switch (outcome.kind) {
    case "response":
    case "switched":
      entry.headAt = outcome.at;
      entry.status = outcome.head.status;
      recorder.answered(endpoint, outcome.head.status, entry.headAt - entry.startedAt, entry.headAt);
      endpoint.countGatewayResult(isGatewayStatus(outcome.head.status));
      return;
    case "clientGone":
      entry.outcome = "client left";
      return;
    case "badRequestBody":
      entry.outcome = `request body: ${outcome.detail}`;
      return;
    default: {
      const now = inputs.now();
      entry.outcome = describeFailure(outcome);
      if (outcome.kind === "reset" && outcome.reused && !outcome.answered) {
        endpoint.totals.add(EndpointField.resetsOnReuse);
        endpoint.idleLimit.learnFromReset(lease.idleMs, endpoint.upstream.pool.idleMs);
      } else if (outcome.kind !== "refused" || outcome.local !== true) endpoint.countGatewayResult(true);
      recorder.unanswered(endpoint, outcome.kind, now - entry.startedAt, now);
    }
  }
}
