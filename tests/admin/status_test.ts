import { assertEquals } from "@std/assert";
import { EndpointCell } from "../../src/board/layout.ts";
import { EndpointState } from "../../src/board/verdicts.ts";
import { WorkerField } from "../../src/board/fields.ts";
import { read } from "../../src/admin/reading.ts";
import { status } from "../../src/admin/status.ts";
import type { Status } from "../../src/admin/status_shape.ts";
import { TrafficMeter } from "../../src/admin/traffic.ts";
import { FakePod } from "./fake_pod.ts";

function statusAfter(happens: (pod: FakePod) => void): Status {
  const pod = new FakePod(() => 500, { shop: ["http://10.0.0.1:80", "http://10.0.0.2:80"] });
  const meter = new TrafficMeter();
  meter.sample(0, 0, read(pod));
  happens(pod);
  meter.sample(1_000, 1_000, read(pod));
  return status(1_000, read(pod), meter, pod.recentEvents());
}

Deno.test("status() says of an ejected endpoint until when and why, and of its load and pool what the board says", () => {
  const { upstreams: [shop], now } = statusAfter((pod) => {
    pod.serve(0, 0, { count: 8, latencyMs: 4 });
    pod.eject(0, 0, "5 gateway failures in a row");
    pod.inFlight(0, 0, 2);
    const { layout, int32 } = pod.board;
    int32[layout.endpointIdleCell(0, 1)] = 3;
    int32[layout.endpointCell(0, EndpointCell.consecutiveFailures)] = 5;
  });
  const [ejected, serving] = shop!.endpoints;
  assertEquals([ejected!.state, ejected!.why, ejected!.ejectedUntil], [
    "ejected",
    "5 gateway failures in a row",
    30_500,
  ]);
  assertEquals([ejected!.requestsPerSecond, ejected!.inFlight, ejected!.pool.idle], [8, 2, 3]);
  assertEquals(ejected!.consecutiveFailures, 5);
  assertEquals([serving!.state, serving!.why, serving!.ejectedUntil], ["serving", null, null]);
  assertEquals([now.requestsPerSecond, now.inFlight, shop!.inFlight], [8, 2, 2]);
});

for (
  const [bits, checksFailed, expected] of [
    [0, 0, "serving"],
    [EndpointState.unchecked, 0, "unchecked"],
    [EndpointState.unchecked | EndpointState.unhealthy, 1, "unhealthy"],
    [EndpointState.unhealthy | EndpointState.ejected, 3, "ejected"],
    [EndpointState.draining, 0, "draining"],
    [EndpointState.draining | EndpointState.unhealthy, 3, "unhealthy"],
    [EndpointState.leaving | EndpointState.unhealthy, 3, "leaving"],
  ] as const
) {
  Deno.test(`status() calls an endpoint with state bits ${bits} ${expected}`, () => {
    const { upstreams: [shop] } = statusAfter((pod) => {
      pod.mark(0, 1, bits).checksFailed = checksFailed;
    });
    assertEquals(shop!.endpoints[1]!.state, expected);
  });
}

Deno.test("status() shows the weight of a slow start and a worker that is not there", () => {
  const { upstreams: [shop], workers } = statusAfter((pod) => {
    pod.mark(0, 1, 0, 100).weight = 5;
    Object.assign(pod.workerList[1]!, { column: null, state: "restarting", restarts: 2, reason: "it threw" });
    // What those before it have left behind.
    pod.board.float64[pod.board.layout.workerTotal(0, WorkerField.heapBytes)] = 7;
  });
  assertEquals([shop!.endpoints[1]!.weight, shop!.endpoints[1]!.weightConfigured], [0.5, 5]);
  assertEquals([workers[0]!.connections, workers[0]!.loopDelayMaxMs], [12, 3.5]);
  assertEquals([workers[1]!.connections, workers[1]!.heapBytes, workers[1]!.reason], [0, 0, "it threw"]);
});

Deno.test("status() tells a stall that lasts, of a worker that serves and of one that was given up", () => {
  const { workers } = statusAfter((pod) => {
    Object.assign(pod.workerList[0]!, { stalledMs: 9_500 });
    Object.assign(pod.workerList[1]!, { column: null, state: "hung", stalledMs: 10_000 });
  });
  assertEquals(workers.map(({ loopDelayMaxMs }) => loopDelayMaxMs), [9_500, 10_000]);
});

Deno.test("status() says that a listener does not know its connections", () => {
  const { workers } = statusAfter((pod) => pod.info.knowsConnections = false);
  assertEquals(workers.map(({ connections }) => connections), [null, null]);
});

Deno.test("status() says of each address that is looked up what discovery knows of it", () => {
  const fails = { endpoints: 3, answeredAt: 400, problem: "no answer within 2000 ms", failingSince: 450 };
  const { upstreams: [shop] } = statusAfter((pod) => {
    pod.lookUp(0, "k8s://shop:http");
    pod.lookUp(0, "dns+http://shop.test:80", fails);
  });
  assertEquals(shop!.discovery, [
    { source: "k8s://shop:http", endpoints: 2, answeredAt: 500, problem: null, failingSince: null },
    { source: "dns+http://shop.test:80", ...fails },
  ]);
});

Deno.test("status() survives JSON", () => {
  const told = statusAfter((pod) => pod.reload(true));
  assertEquals(JSON.parse(JSON.stringify(told)), told);
  assertEquals([told.config.version, told.events.length], [4, 1]);
});
