// What holds of every Weir once its clients have left: nothing is in flight, no slot is held, and it made no
// more attempts than requests and retries allow.

import { assertLessOrEqual } from "@std/assert";
import { parseMetrics, type Sample, sumOf } from "./metrics.ts";
import { until } from "./until.ts";
import type { RunningWeir } from "./weir.ts";

/** Gauges that are 0 in a Weir at rest. */
const AT_REST = [
  "weir_requests_in_flight",
  "weir_endpoint_requests_in_flight",
  "weir_upstream_requests_in_flight",
  "weir_upstream_queue_waiting",
];

/** @throws when Weir does not come to rest, or its counts contradict each other. */
export async function checkInvariants(weir: RunningWeir): Promise<void> {
  let samples: readonly Sample[] = [];
  await until("Weir at rest after the scenario", async () => {
    samples = parseMetrics(await weir.admin("/metrics"));
    return AT_REST.every((gauge) => sumOf(samples, gauge) === 0);
  }).catch((error) => {
    const held = AT_REST.map((gauge) => `${gauge} ${sumOf(samples, gauge)}`);
    throw new Error(`${error.message}: ${held.join(", ")}`);
  });
  const total = (name: string) => sumOf(samples, `weir_${name}_total`) ?? 0;
  assertLessOrEqual(
    total("endpoint_attempts"),
    total("upstream_requests") + total("upstream_retries"),
    "attempts are requests and retries",
  );
}
