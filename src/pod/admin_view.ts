// The pod as the admin server sees it: plain data, read when it is asked for.

import type { AdminView, UpstreamInfo, WorkerInfo } from "../admin/view.ts";
import { checkKind } from "../config/derived.ts";
import { describeConfig } from "../config/describe.ts";
import type { Loaded } from "../config/loading.ts";
import type { RouteConfig, UpstreamConfig } from "../config/schema.ts";
import type { WorkerHandle } from "../control/worker_handle.ts";
import { VERSION } from "../version.ts";
import type { Pod } from "./pod.ts";

export function adminView(pod: Pod): AdminView {
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
  const { index, column, restarts, hangs, stalledMs, since, reason } = handle;
  const state = handle.state === "notListening" ? "restarting" : handle.state;
  return { index, column: handle.alive ? column : null, state, restarts, hangs, stalledMs, since, reason };
}

/** Of an endpoint of a pod that stops. */
const NOT_JUDGED = {
  healthReason: null,
  lastCheck: null,
  checksPassed: 0,
  checksFailed: 0,
  ejection: null,
  ejections: { consecutive_failures: 0, failure_percent: 0 },
};

function upstreamInfos(pod: Pod): UpstreamInfo[] {
  return (pod.publisher.snapshot?.upstreams ?? []).map((upstream) => {
    const config = pod.config.upstreams[upstream.name]!;
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
        return { id, row, weight, backup, ...pod.monitor.describe(upstream.name, id) ?? NOT_JUDGED };
      }),
    };
  });
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
