// The pod as the admin server sees it: plain data, read when it is asked for.

import type { AdminSources, EndpointInfo, UpstreamInfo, WorkerInfo } from "../admin/sources.ts";
import { describeConfig } from "../config/describe.ts";
import type { Loaded } from "../config/load.ts";
import { checkKind, type RouteConfig, type UpstreamConfig } from "../config/schema.ts";
import type { EndpointStatus } from "../control/endpoint_status.ts";
import type { WorkerHandle } from "../control/worker_handle.ts";
import { VERSION } from "../version.ts";
import type { Pod } from "./pod.ts";

export function adminSources(pod: Pod): AdminSources {
  const effective = describer();
  return {
    board: pod.board,
    probes: () => pod.probes(),
    pod: () => ({
      version: VERSION,
      deno: Deno.version.deno,
      instance: pod.inputs.instance,
      startedAt: pod.startedAt,
      draining: pod.draining,
      residentBytes: Deno.memoryUsage().rss,
      heapBytes: Deno.memoryUsage().heapUsed,
      knowsConnections: pod.config.listen.listener === "wire" || pod.config.listen.tls !== undefined,
      logLinesDropped: pod.inputs.logLinesDropped(),
    }),
    workers: () => pod.supervisor.handles.map(workerInfo),
    config: () => ({
      version: pod.publisher.version,
      file: pod.loaded.file ?? null,
      effective: effective(pod.loaded),
      lastReload: pod.lastReload,
    }),
    upstreams: () => upstreamInfos(pod),
    certificate: () => pod.certificate?.info() ?? null,
    routes: () =>
      pod.publisher.snapshot?.routes.map(({ name, row, ...route }) => ({
        name,
        row,
        target: targetWords(route),
      })) ??
        [],
    recentEvents: () => pod.inputs.events.recent(),
    subscribe: (listener) => pod.inputs.events.subscribe(listener),
    ask: (question) => pod.supervisor.ask(question),
  };
}

/** Describes each configuration once: it is asked for every second, and has thousands of lines. */
function describer(): (loaded: Loaded) => string {
  let described: Loaded | null = null;
  let text = "";
  return (loaded) => {
    if (loaded !== described) [described, text] = [loaded, describeConfig(loaded)];
    return text;
  };
}

function workerInfo(handle: WorkerHandle): WorkerInfo {
  const { index, column, restarts, hangs, since, reason } = handle;
  const state = handle.state === "notListening" ? "restarting" : handle.state;
  return { index, column: handle.alive ? column : null, state, restarts, hangs, since, reason };
}

function upstreamInfos(pod: Pod): UpstreamInfo[] {
  const judged = new Map(pod.monitor.describe().map(({ name, endpoints }) => [name, endpoints]));
  return (pod.publisher.snapshot?.upstreams ?? []).map((upstream) => {
    const config = pod.config.upstreams[upstream.name]!;
    const statuses = new Map(judged.get(upstream.name)?.map((status) => [status.id, status]));
    return {
      name: upstream.name,
      row: upstream.row,
      policy: policyWords(config),
      health: healthWords(config),
      whenAllUnhealthy: upstream.whenAllUnhealthy,
      panicPercent: upstream.panicPercent,
      leftOut: pod.publisher.leftOut.get(upstream.name) ?? 0,
      discovery: pod.upstreams.describe(upstream.name),
      endpoints: upstream.endpoints.map((endpoint) => {
        const { id, row, weight, backup } = endpoint;
        return { id, row, weight, backup, ...judgement(statuses.get(id)) };
      }),
    };
  });
}

function judgement(
  status: EndpointStatus | undefined,
): Omit<EndpointInfo, "id" | "row" | "weight" | "backup"> {
  const check = status?.health.checks.at(-1);
  const until = status?.ejection.until ?? null;
  return {
    checksPassed: status?.health.counts.passed ?? 0,
    checksFailed: status?.health.counts.failed ?? 0,
    ejections: status?.ejection.counts ?? { consecutive_failures: 0, failure_percent: 0 },
    healthReason: status?.health.reason ?? null,
    lastCheck: check === undefined
      ? null
      : { at: check.at, passed: check.passed, durationMs: check.durationMs, reason: check.reason },
    ejection: until === null ? null : { until, why: status!.ejection.reason },
  };
}

function policyWords({ balance }: UpstreamConfig): string {
  const compares = balance.policy === "least_request" || balance.policy === "peak_ewma";
  return compares ? `${balance.policy} (choices: ${balance.choices})` : balance.policy;
}

function healthWords({ health }: UpstreamConfig): string {
  const every = `every ${health.intervalMs / 1_000} s`;
  const kind = checkKind(health);
  if (kind === "off") return "off";
  return kind === "http" ? `http GET ${health.path} ${every}` : `tcp ${every}`;
}

function targetWords(route: Omit<RouteConfig, "name">): string {
  if (route.redirect !== undefined) return `redirect to ${route.redirect.to}`;
  if (route.respond !== undefined) return `answers ${route.respond.status}`;
  if (route.split === undefined) return route.upstream ?? "";
  return route.split.map(({ upstream, weight }) => `${upstream} ${weight}`).join(" : ");
}
