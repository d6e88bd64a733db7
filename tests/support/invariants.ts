// What holds of every Weir once its clients have left: nothing is in flight, no slot is held, and it made no
// more attempts than requests and retries allow (docs/architecture.md).

import { assertLessOrEqual } from "@std/assert";
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
  let metrics = new Map<string, number>();
  await until("Weir at rest after the scenario", async () => {
    metrics = sums(await weir.admin("/metrics"));
    return AT_REST.every((gauge) => metrics.get(gauge) === 0);
  }).catch((error) => {
    const held = AT_REST.map((gauge) => `${gauge} ${metrics.get(gauge)}`);
    throw new Error(`${error.message}: ${held.join(", ")}`);
  });
  const total = (name: string) => metrics.get(`weir_${name}_total`) ?? 0;
  assertLessOrEqual(
    total("endpoint_attempts"),
    total("upstream_requests") + total("upstream_retries"),
    "attempts are requests and retries",
  );
}

/** Prometheus text as the sum of each metric over its labels. */
export function sums(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const [, name, value] of text.matchAll(/^(\w+)(?:\{[^\n]*\})? (\S+)/gm)) {
    found.set(name!, (found.get(name!) ?? 0) + Number(value));
  }
  return found;
}
