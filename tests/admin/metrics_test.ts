import { assert, assertEquals } from "@std/assert";
import { Columns } from "../../src/board/columns.ts";
import { EndpointField, RETRY_REASONS, UpstreamField, WorkerField } from "../../src/board/fields.ts";
import { EndpointCell, UpstreamCell } from "../../src/board/layout.ts";
import { EndpointState } from "../../src/board/verdicts.ts";
import { publicName } from "../../src/admin/exposition.ts";
import { ALL_METRICS, metricsPage } from "../../src/admin/metrics.ts";
import { read } from "../../src/admin/reading.ts";
import { parseExposition } from "./exposition_parser.ts";
import { FakePod } from "./fake_pod.ts";

const A = "http://10.0.0.1:80";
const B = "http://10.0.0.2:80";
const newPod = () => new FakePod(() => 1_000_000, { shop: [A, B], blog: ["https://[2001:db8::1]:443"] });

/** All samples of the page by `name{labels}`. */
function scrape(pod: FakePod, format: "prometheus" | "openmetrics" = "prometheus"): Map<string, number> {
  const families = parseExposition(metricsPage(read(pod), format), format);
  return new Map([...families.values()].flatMap(({ samples }) => [...samples]));
}

for (const format of ["prometheus", "openmetrics"] as const) {
  Deno.test(`metricsPage() is well-formed for an idle, a busy and a broken pod (${format})`, () => {
    const pod = newPod();
    scrape(pod, format);
    pod.serve(0, 0, { status: 503, method: "POST" });
    pod.eject(0, 1, "5 gateway failures in a row");
    pod.reload(false, ["no"]);
    pod.workerList[0]!.column = null;
    pod.upstreamList[1]!.endpoints[0]!.lastCheck = null;
    const samples = scrape(pod, format);
    assert(samples.size > 300);
    for (const value of samples.values()) assert(Number.isFinite(value));
  });
}

Deno.test("metricsPage() tells what was counted, in every dimension", () => {
  const pod = newPod();
  pod.serve(0, 0, { count: 5, latencyMs: 4 });
  pod.serve(0, 0, { count: 2, latencyMs: 90, status: 404, method: "POST", column: 2 });
  pod.serve(1, 0, { count: 1, status: 502, method: "PUT" });
  pod.inFlight(0, 1, 3);
  const samples = scrape(pod);
  const a = `upstream="shop",endpoint="${A}"`;
  const expected: Record<string, number> = {
    "weir_requests_total{}": 8,
    "weir_requests_in_flight{}": 3,
    'weir_worker_requests_in_flight{worker="0"}': 3,
    'weir_upstream_requests_total{upstream="shop"}': 7,
    'weir_upstream_requests_in_flight{upstream="shop"}': 3,
    'weir_upstream_responses_total{upstream="shop",method="GET",status_class="2xx"}': 5,
    'weir_upstream_responses_total{upstream="shop",method="POST",status_class="4xx"}': 2,
    'weir_upstream_responses_total{upstream="blog",method="PUT",status_class="5xx"}': 1,
    [`weir_endpoint_attempts_total{${a}}`]: 7,
    [`weir_endpoint_responses_total{${a},status_class="4xx"}`]: 2,
    [`weir_endpoint_head_duration_seconds_bucket{${a},le="0.005"}`]: 5,
    [`weir_endpoint_head_duration_seconds_bucket{${a},le="0.1"}`]: 7,
    [`weir_endpoint_head_duration_seconds_sum{${a}}`]: 0.2,
    [`weir_endpoint_duration_seconds_count{${a}}`]: 7,
    [`weir_endpoint_requests_in_flight{upstream="shop",endpoint="${B}"}`]: 3,
    'weir_route_responses_total{route="shop",status_class="2xx"}': 5,
    'weir_route_duration_seconds_count{route="blog"}': 1,
  };
  for (const [key, value] of Object.entries(expected)) assertEquals(samples.get(key), value, key);
});

Deno.test("metricsPage() reads each field of the board under the name that is its own", () => {
  const pod = newPod();
  const { layout, float64, int32 } = pod.board;
  for (const field of Object.values(EndpointField)) float64[layout.endpointTotal(1, 0, field)] = 100 + field;
  for (const field of Object.values(UpstreamField)) float64[layout.upstreamTotal(2, 0, field)] = 200 + field;
  for (const field of Object.values(WorkerField)) float64[layout.workerTotal(2, field)] = 300 + field;
  int32[layout.endpointIdleCell(0, 1)] = 9;
  int32[layout.endpointCell(0, EndpointCell.idleLimitSeenMs)] = 4_000;
  int32[layout.upstreamWaitingCell(0, 1)] = 4;
  int32[layout.upstreamCell(0, UpstreamCell.budgetMilli)] = 7500;
  const samples = scrape(pod);
  const endpoint = `{upstream="shop",endpoint="${A}"`;
  const failure = (reason: string) =>
    samples.get(`weir_endpoint_failures_total${endpoint},reason="${reason}"}`);
  assertEquals(failure("connect"), 100 + EndpointField.connectFailures);
  assertEquals(failure("reset"), 100 + EndpointField.resets);
  assertEquals(failure("timeout"), 100 + EndpointField.timeouts);
  assertEquals(failure("malformed"), 100 + EndpointField.malformed);
  for (
    const [name, field] of [
      ["gateway_failures", EndpointField.gatewayFailures],
      ["sent_bytes", EndpointField.bytesToUpstream],
      ["received_bytes", EndpointField.bytesFromUpstream],
      ["connections_opened", EndpointField.connectionsOpened],
      ["connections_reused", EndpointField.connectionsReused],
      ["connections_closed", EndpointField.connectionsClosed],
      ["reused_resets", EndpointField.resetsOnReuse],
    ] as const
  ) assertEquals(samples.get(`weir_endpoint_${name}_total${endpoint}}`), 100 + field, name);
  assertEquals(samples.get(`weir_endpoint_connections_idle${endpoint}}`), 9);
  assertEquals(samples.get(`weir_endpoint_idle_limit_seconds${endpoint}}`), 4);
  const shop = '{upstream="shop"';
  const reasonFields = [
    "retryConnect",
    "retryReset",
    "retryTimeout",
    "retryStatus",
    "retryReused",
    "retryMalformed",
  ] as const;
  RETRY_REASONS.forEach((reason, i) => {
    const told = samples.get(`weir_upstream_retries_total${shop},reason="${reason}"}`);
    assertEquals(told, 200 + UpstreamField[reasonFields[i]!], reason);
  });
  for (
    const [name, field] of [
      ["retry_budget_exhausted", UpstreamField.retryBudgetExhausted],
      ["no_endpoint", UpstreamField.noEndpoint],
      ["panic_picks", UpstreamField.panicPicks],
      ["queued", UpstreamField.queued],
      ["queue_timeouts", UpstreamField.queueTimeouts],
      ["queue_full", UpstreamField.queueFull],
    ] as const
  ) assertEquals(samples.get(`weir_upstream_${name}_total${shop}}`), 200 + field, name);
  assertEquals(samples.get(`weir_upstream_queue_waiting${shop}}`), 4);
  assertEquals(samples.get(`weir_upstream_retry_budget_left${shop}}`), 7.5);
  for (
    const [name, field] of [
      ["weir_client_gone_total{}", WorkerField.clientGone],
      ["weir_bad_requests_total{}", WorkerField.badRequests],
      ["weir_in_flight_rejected_total{}", WorkerField.rejectedInFlight],
      ["weir_truncated_total{}", WorkerField.truncated],
      ["weir_relistens_total{}", WorkerField.relistens],
      ["weir_websockets_total{}", WorkerField.webSockets],
      ["weir_connections_total{}", WorkerField.connections],
      ['weir_worker_heap_bytes{worker="1"}', WorkerField.heapBytes],
    ] as const
  ) assertEquals(samples.get(name), 300 + field, name);
  const delay = samples.get('weir_worker_loop_delay_max_seconds{worker="1"}');
  assertEquals(delay, (300 + WorkerField.loopDelayMaxMs) / 1000);
  Object.assign(pod.workerList[1]!, { stalledMs: 9_500 });
  assertEquals(scrape(pod).get('weir_worker_loop_delay_max_seconds{worker="1"}'), 9.5);
});

Deno.test("metricsPage() tells states, weights, ejections and checks", () => {
  const pod = newPod();
  pod.eject(0, 0, "5 gateway failures in a row");
  pod.mark(0, 1, EndpointState.draining, 250);
  pod.upstreamList[0]!.endpoints[1]!.weight = 8;
  const samples = scrape(pod);
  const a = `upstream="shop",endpoint="${A}"`;
  const b = `upstream="shop",endpoint="${B}"`;
  assertEquals(samples.get(`weir_endpoint_state{${a},state="ejected"}`), 1);
  assertEquals(samples.get(`weir_endpoint_state{${a},state="serving"}`), 0);
  assertEquals(samples.get(`weir_endpoint_ejections_total{${a},reason="consecutive_failures"}`), 1);
  assertEquals(samples.get(`weir_endpoint_weight{${b}}`), 2);
  assertEquals(samples.get('weir_upstream_endpoints{upstream="shop",state="ejected"}'), 1);
  assertEquals(samples.get('weir_upstream_endpoints{upstream="shop",state="draining"}'), 1);
  assertEquals(samples.get(`weir_endpoint_last_check_success{${a}}`), 1);
});

Deno.test("metricsPage() tells how the pod, its workers, its configuration and its certificate stand", () => {
  const pod = newPod();
  const told = (name: string) => scrape(pod).get(name);
  const quiet: Record<string, number | undefined> = {
    "weir_draining{}": 0,
    "weir_config_last_reload_success{}": 1,
    "weir_config_last_reload_timestamp_seconds{}": 0,
    "weir_certificate_last_change_success{}": undefined,
    'weir_worker_serving{worker="0"}': 1,
    'weir_worker_connections{worker="0"}': 12,
    'weir_worker_heap_bytes{worker="0"}': 9 * 1024 ** 2,
    'weir_upstream_endpoints{upstream="shop",state="serving"}': 2,
    'weir_upstream_endpoints{upstream="shop",state="ejected"}': 0,
    'weir_upstream_responses_total{upstream="shop",method="PATCH",status_class="2xx"}': undefined,
  };
  for (const [name, value] of Object.entries(quiet)) assertEquals(told(name), value, name);
  pod.info.draining = { since: 1_000_000, deadlineAt: 1_030_000 };
  pod.reload(false, ["no"]);
  pod.certify(1_000, "its key belongs to another one");
  Object.assign(pod.workerList[0]!, { state: "restarting", column: null });
  // What the one before it has left behind.
  pod.board.float64[pod.board.layout.workerTotal(0, WorkerField.heapBytes)] = 7;
  const troubled: Record<string, number | undefined> = {
    "weir_draining{}": 1,
    "weir_config_last_reload_success{}": 0,
    "weir_config_last_reload_timestamp_seconds{}": 1_000,
    "weir_certificate_last_change_success{}": 0,
    'weir_worker_serving{worker="0"}': 0,
    'weir_worker_connections{worker="0"}': 0,
    'weir_worker_heap_bytes{worker="0"}': 0,
  };
  for (const [name, value] of Object.entries(troubled)) assertEquals(told(name), value, name);
  pod.reload(true);
  pod.certify(1_000);
  pod.info.knowsConnections = false;
  const recovered: Record<string, number | undefined> = {
    "weir_config_last_reload_success{}": 1,
    "weir_certificate_last_change_success{}": 1,
    'weir_worker_connections{worker="1"}': undefined,
  };
  for (const [name, value] of Object.entries(recovered)) assertEquals(told(name), value, name);
});

Deno.test("metricsPage() tells of each address that is looked up whether it fails, and when it was answered last", () => {
  const pod = newPod();
  const problem = "no answer within 2000 ms";
  pod.lookUp(0, "dns+http://shop.test:80");
  pod.lookUp(0, "k8s://shop:http", { problem, failingSince: 999_000, answeredAt: 998_500 });
  pod.lookUp(1, "dns+http://shop.test:80", { problem, failingSince: 999_000, answeredAt: null });
  const told = [...scrape(pod)].filter(([key]) => key.startsWith("weir_discovery_"));
  const [answered, fails, never] = [
    '{upstream="shop",source="dns+http://shop.test:80"}',
    '{upstream="shop",source="k8s://shop:http"}',
    '{upstream="blog",source="dns+http://shop.test:80"}',
  ];
  assertEquals(told, [
    [`weir_discovery_failing${answered}`, 0],
    [`weir_discovery_failing${fails}`, 1],
    [`weir_discovery_failing${never}`, 1],
    [`weir_discovery_last_answer_timestamp_seconds${answered}`, 1_000],
    [`weir_discovery_last_answer_timestamp_seconds${fails}`, 998.5],
  ]);
});

Deno.test("no counter runs backwards when a worker dies and its column serves another", () => {
  const pod = newPod();
  const columns = new Columns(pod.board);
  const column = columns.take();
  pod.serve(0, 0, { count: 10, column, status: 500, method: "DELETE" });
  pod.inFlight(0, 0, 2);
  const before = scrape(pod);
  columns.retire(column);
  pod.workerList[0]!.column = null;
  const after = scrape(pod);
  const counts = [...before].filter(([key]) => /_(total|count|bucket|sum)\{/.test(key));
  for (const [key, value] of counts) assert((after.get(key) ?? -1) >= value, key);
  assertEquals(after.get("weir_requests_total{}"), 10);
  assertEquals(after.get("weir_requests_in_flight{}"), 0);
});

Deno.test("docs/metrics.md holds one line for each metric, and no other", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/metrics.md", import.meta.url));
  const documented = text.split("\n").filter((line) => line.startsWith("| `weir_"));
  const inCode = ALL_METRICS.map((metric) => {
    const labels = metric.labels.map((label) => `\`${label}\``).join(", ") || "none";
    return `| \`${publicName(metric)}\` | ${metric.type} | ${labels} | ${metric.help} |`;
  });
  assertEquals(documented, inCode);
});

Deno.test("the Grafana dashboard asks only for metrics and labels that exist", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/grafana-dashboard.json", import.meta.url));
  const names = new Map(ALL_METRICS.flatMap((metric) => {
    const suffixes = metric.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
    return suffixes.map((suffix) => [publicName(metric) + suffix, metric] as const);
  }));
  const asked = new Set(text.match(/weir_[a-z0-9_]+/g));
  assert(asked.size >= 15);
  for (const name of asked) assert(names.has(name), `${name} is not a metric`);
  for (const [, name, labels] of text.matchAll(/(weir_[a-z0-9_]+)\{([^}]*)\}/g)) {
    for (const [, label] of labels!.matchAll(/([a-z_]+)(?:=|!)/g)) {
      assert(
        names.get(name!)!.labels.includes(label!) || label === "instance",
        `${name} has no label ${label}`,
      );
    }
  }
});

Deno.test("whoever asks what share fails is told of requests that the pod had no room for, too", async () => {
  for (
    const [name, asks] of [["metrics.md", /^.*What share fails.*$/m], [
      "grafana-dashboard.json",
      /.*/s,
    ]] as const
  ) {
    const text = await Deno.readTextFile(new URL(`../../docs/${name}`, import.meta.url));
    const refused = "sum(rate(weir_in_flight_rejected_total";
    assert(asks.exec(text)?.[0].includes(refused), `${name} does not ask for ${refused}`);
  }
});

Deno.test("metric names are snake case, have base units, and no reserved suffix of their own", () => {
  for (const { name, help, labels } of ALL_METRICS) {
    assert(/^weir_[a-z]+(_[a-z]+)*$/.test(name), name);
    assert(!/_(total|count|sum|bucket|info|ms|milliseconds|kilobytes)$/.test(name), name);
    assert(help.endsWith("."), help);
    for (const label of labels) assert(/^[a-z_]+$/.test(label) && label !== "le", label);
  }
  assertEquals(new Set(ALL_METRICS.map(publicName)).size, ALL_METRICS.length);
});
