// Ejection in virtual time: Weir's own outlier detector over the counts of simulated endpoints.

import { ejectionSchema } from "../config/schema.ts";
import type { TrafficCounts } from "../control/ejection.ts";
import { OutlierDetector } from "../control/outlier_detector.ts";
import type { SimulatedEndpoint } from "./endpoint.ts";

export class Ejector {
  /** Counts up whenever an endpoint was taken out or came back. */
  changes = 0;
  private readonly detector: OutlierDetector;

  constructor(private readonly endpoints: readonly SimulatedEndpoint[]) {
    const onChange = () => void this.changes++;
    this.detector = new OutlierDetector(ejectionSchema.parse({}), countsOf(endpoints), {
      onEjected: onChange,
      onReturned: onChange,
    });
  }

  isEjected(endpoint: SimulatedEndpoint): boolean {
    return this.detector.isEjected(endpoint.id);
  }

  /** `serving`: those that have joined the group. */
  tick(nowMs: number, serving: (endpoint: SimulatedEndpoint) => boolean): void {
    this.detector.tick(
      nowMs,
      this.endpoints.filter(serving).map(({ id }) => ({ id, inService: true, standsBy: false })),
    );
  }
}

function countsOf(endpoints: readonly SimulatedEndpoint[]): TrafficCounts {
  const byId = new Map(endpoints.map((endpoint) => [endpoint.id, endpoint]));
  return {
    consecutiveFailures: (id) => byId.get(id)?.failuresInARow ?? 0,
    attempts: (id) => byId.get(id)?.attempts ?? 0,
    gatewayFailures: (id) => byId.get(id)?.failures ?? 0,
    forgetFailures: (id) => {
      const endpoint = byId.get(id);
      if (endpoint !== undefined) endpoint.failuresInARow = 0;
    },
  };
}
