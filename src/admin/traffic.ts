// Rates and percentiles of the last moments, from the ever growing totals of the board.
//
// `server.ts` calls sample() once a second; status and dashboard read. Rates and percentiles are over a
// window of ten seconds, so that a quiet pod's figures do not jump; the requests and errors of a chart point
// are those of its own second. Memory is bounded by the window, the number of points and the rows in use.

import { EndpointField, RouteField, UpstreamField, WorkerField } from "../board/fields.ts";
import { EMPTY_HISTOGRAM, type Histogram, merged, quantileMs, since } from "../board/histogram.ts";
import type { Reading } from "./reading.ts";

/** One point of the charts. */
export interface TrafficPoint {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
  /** From arrival to the last byte, of the window; null when nothing ended in it. */
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
}

/** What one row (endpoint, route, upstream, the pod) did within the window. */
export interface Traffic {
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
  /** Errors in a hundred requests; 0 when there were none. */
  readonly errorPercent: number;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
}

interface Tally {
  readonly requests: number;
  readonly errors: number;
  readonly latency: Histogram;
}

interface Sample {
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly tallies: ReadonlyMap<string, Tally>;
}

const NOTHING: Tally = { requests: 0, errors: 0, latency: EMPTY_HISTOGRAM };
const POD = "pod";

/** Keys of rows: kinds never share names, and an endpoint is named within its upstream. */
export const rowKey = {
  /** Requests of no route that the pod had no room for. */
  rejected: "rejected",
  endpoint: (upstream: string, id: string) => `endpoint ${upstream} ${id}`,
  upstream: (name: string) => `upstream ${name}`,
  /** Requests that found no room at an upstream, or not in time. */
  crowdedOut: (upstream: string) => `crowded out ${upstream}`,
  route: (name: string) => `route ${name}`,
};

export class TrafficMeter {
  private readonly samples: Sample[] = [];
  private readonly history: TrafficPoint[] = [];

  constructor(private readonly limits = { windowMs: 10_000, pointsMax: 300 }) {}

  /**
   * Takes the totals of this moment.
   * @param now monotonic milliseconds
   * @param date milliseconds since 1970
   */
  sample(now: number, date: number, reading: Reading): void {
    const previous = this.samples.at(-1);
    if (previous !== undefined && now <= previous.at) return;
    const sample = { at: now, tallies: tally(reading, previous?.tallies ?? EMPTY_SAMPLE.tallies) };
    this.samples.push(sample);
    while (this.samples.length > 2 && this.samples[1]!.at <= now - this.limits.windowMs) this.samples.shift();
    if (previous === undefined) return;
    const second = between(previous, sample, POD);
    const { p50Ms, p90Ms, p99Ms } = this.pod();
    const { requestsPerSecond, errorsPerSecond } = second;
    // The wall clock was set back: the charts go on from there, and what lies ahead of it would stand in their way.
    while ((this.history.at(-1)?.at ?? -Infinity) >= date) this.history.pop();
    this.history.push({ at: date, requestsPerSecond, errorsPerSecond, p50Ms, p90Ms, p99Ms });
    if (this.history.length > this.limits.pointsMax) this.history.shift();
  }

  /** Points of the charts, oldest first; each is later than the one before it. */
  points(): readonly TrafficPoint[] {
    return this.history;
  }

  /** The pod within the window; latency as its clients see it. */
  pod(): Traffic {
    return this.of(POD);
  }

  /** One row within the window, by its `rowKey`. An endpoint's latency is to the response head. */
  of(key: string): Traffic {
    const first = this.samples.find((sample) => sample.tallies.has(key));
    const last = this.samples.at(-1);
    if (first === undefined || last === undefined) return between(EMPTY_SAMPLE, EMPTY_SAMPLE, key);
    return between(first, last, key);
  }
}

const EMPTY_SAMPLE: Sample = { at: 0, tallies: new Map() };

function between(first: Sample, last: Sample, key: string): Traffic {
  const from = first.tallies.get(key) ?? NOTHING;
  const to = last.tallies.get(key) ?? NOTHING;
  const seconds = (last.at - first.at) / 1000;
  const requests = Math.max(0, to.requests - from.requests);
  const errors = Math.max(0, to.errors - from.errors);
  const latency = since(from.latency, to.latency);
  return {
    requestsPerSecond: seconds > 0 ? requests / seconds : 0,
    errorsPerSecond: seconds > 0 ? errors / seconds : 0,
    // Errors of slow requests may outnumber the arrivals of a window.
    errorPercent: requests > 0 ? Math.min(100, errors / requests * 100) : 0,
    p50Ms: quantileMs(latency, 0.5),
    p90Ms: quantileMs(latency, 0.9),
    p99Ms: quantileMs(latency, 0.99),
  };
}

/** @param before what stood there at the last sample */
function tally(reading: Reading, before: Sample["tallies"]): Map<string, Tally> {
  const { totals } = reading;
  const tallies = new Map<string, Tally>();
  let pod = before.get(POD) ?? NOTHING;
  const addToPod = (key: string, part: Tally) => {
    tallies.set(key, part);
    // A route that comes back has its figures from before: one that joins counts from its first sample on.
    pod = grown(pod, before.get(key) ?? part, part);
  };
  addToPod(rowKey.rejected, { ...NOTHING, errors: totals.worker(WorkerField.rejectedInFlight) });
  for (const { name, row } of reading.routes) {
    addToPod(rowKey.route(name), {
      requests: totals.routeStatuses(row).reduce((a, b) => a + b),
      errors: totals.route(row, RouteField.status5xx),
      latency: totals.routeLatency(row),
    });
  }
  tallies.set(POD, { ...pod, requests: totals.worker(WorkerField.requests) });
  for (const upstream of reading.upstreams) {
    tallies.set(rowKey.upstream(upstream.name), {
      requests: totals.upstream(upstream.row, UpstreamField.requests),
      // What went wrong once within an upstream is what it had to try again.
      errors: totals.upstream(upstream.row, UpstreamField.retries),
      latency: EMPTY_HISTOGRAM,
    });
    tallies.set(rowKey.crowdedOut(upstream.name), {
      ...NOTHING,
      errors: totals.upstream(upstream.row, UpstreamField.queueFull) +
        totals.upstream(upstream.row, UpstreamField.queueTimeouts),
    });
    for (const { id, row } of upstream.endpoints) {
      tallies.set(rowKey.endpoint(upstream.name, id), {
        requests: totals.endpoint(row, EndpointField.attempts),
        errors: endpointErrors(reading, row),
        latency: totals.endpointHeadLatency(row),
      });
    }
  }
  return tallies;
}

/** The pod's tally with what a part of it has added: a part that leaves takes nothing away. */
function grown(pod: Tally, from: Tally, to: Tally): Tally {
  return {
    requests: pod.requests,
    errors: pod.errors + Math.max(0, to.errors - from.errors),
    latency: merged(pod.latency, since(from.latency, to.latency)),
  };
}

/** Answers 5xx and attempts without an answer; clients that left count against nobody. */
function endpointErrors({ totals }: Reading, row: number): number {
  const { status5xx, connectFailures, resets, timeouts, malformed } = EndpointField;
  return [status5xx, connectFailures, resets, timeouts, malformed]
    .reduce((sum, field) => sum + totals.endpoint(row, field), 0);
}
