import { assertAlmostEquals, assertEquals, assertGreater } from "@std/assert";
import { read } from "../../src/admin/reading.ts";
import { rowKey, TrafficMeter } from "../../src/admin/traffic.ts";
import { FakePod } from "./fake_pod.ts";

const A = "http://10.0.0.1:80";

function meteredPod() {
  const pod = new FakePod(() => 0, { shop: [A, "http://10.0.0.2:80"] });
  const meter = new TrafficMeter({ windowMs: 10_000, pointsMax: 5 });
  return { pod, meter, sample: (now: number, date = now) => meter.sample(now, date, read(pod)) };
}

Deno.test("TrafficMeter.pod() is all zero and without percentiles before two samples", () => {
  const { meter, sample } = meteredPod();
  const nothing = {
    requestsPerSecond: 0,
    errorsPerSecond: 0,
    errorPercent: 0,
    p50Ms: null,
    p90Ms: null,
    p99Ms: null,
  };
  assertEquals(meter.pod(), nothing);
  sample(1_000);
  assertEquals(meter.pod(), nothing);
});

Deno.test("TrafficMeter.pod() is the rate of the window, not of what came before it", () => {
  const { pod, meter, sample } = meteredPod();
  pod.serve(0, 0, { count: 5_000 });
  for (let second = 0; second <= 30; second++) {
    sample(second * 1_000);
    pod.serve(0, 0, { count: second < 20 ? 500 : 20 });
  }
  assertEquals(meter.pod().requestsPerSecond, 20);
});

Deno.test("TrafficMeter.points() has one point per sample, of that second, and forgets the oldest", () => {
  const { pod, meter, sample } = meteredPod();
  for (let second = 0; second <= 7; second++) {
    sample(second * 1_000);
    pod.serve(0, 0, { count: second + 1 });
  }
  assertEquals(meter.points().map(({ at, requestsPerSecond }) => [at, requestsPerSecond]), [
    [3_000, 3],
    [4_000, 4],
    [5_000, 5],
    [6_000, 6],
    [7_000, 7],
  ]);
});

Deno.test("TrafficMeter tells errors and percentiles apart by endpoint", () => {
  const { pod, meter, sample } = meteredPod();
  sample(0);
  pod.serve(0, 0, { count: 75, latencyMs: 4 });
  pod.serve(0, 0, { count: 25, latencyMs: 90, status: 500 });
  sample(1_000);
  const busy = meter.of(rowKey.endpoint("shop", A));
  assertEquals([busy.requestsPerSecond, busy.errorsPerSecond, busy.errorPercent], [100, 25, 25]);
  assertAlmostEquals(busy.p50Ms!, 3 + 2 * 50 / 75);
  assertGreater(busy.p99Ms!, 75);
  assertEquals(meter.of(rowKey.endpoint("shop", "http://10.0.0.2:80")).p50Ms, null);
  assertEquals(meter.pod().errorPercent, 25);
});

Deno.test("TrafficMeter.of() counts an endpoint that joined within the window from its first sample", () => {
  const { pod, meter, sample } = meteredPod();
  sample(0);
  const joined = { ...pod.upstreamList[0]!.endpoints[0]!, id: "http://10.0.0.3:80", row: 9 };
  pod.upstreamList[0]!.endpoints.push(joined);
  sample(1_000);
  pod.serve(0, 2, { count: 6 });
  sample(3_000);
  assertEquals(meter.of(rowKey.endpoint("shop", joined.id)).requestsPerSecond, 3);
});

Deno.test("TrafficMeter.pod() tells errors and percentiles although a reload takes a route away", () => {
  const pod = new FakePod(() => 0, { shop: [A], old: [A] });
  const meter = new TrafficMeter();
  pod.serve(1, 0, { count: 5_000, status: 500 });
  meter.sample(0, 0, read(pod));
  pod.serve(0, 0, { count: 30, latencyMs: 30 });
  pod.serve(0, 0, { count: 10, latencyMs: 30, status: 500 });
  const [left] = pod.routeList.splice(1, 1);
  meter.sample(1_000, 1_000, read(pod));
  assertEquals([meter.pod().errorPercent, meter.points().at(-1)!.errorsPerSecond], [25, 10]);
  assertGreater(meter.pod().p50Ms!, 50);
  pod.routeList.push({ ...left!, row: 2 });
  meter.sample(2_000, 2_000, read(pod));
  assertEquals(meter.points().at(-1)!.errorsPerSecond, 0);
});

Deno.test("TrafficMeter.pod() counts nothing twice of a route that a reload takes away and another brings back", () => {
  const pod = new FakePod(() => 0, { shop: [A], old: [A] });
  const meter = new TrafficMeter();
  let second = 0;
  const sample = () => meter.sample(++second * 1_000, second * 1_000, read(pod));
  pod.serve(1, 0, { count: 5_000, latencyMs: 900, status: 500 });
  sample();
  const [old] = pod.routeList.splice(1, 1);
  sample();
  // Its row has kept what it has counted.
  pod.routeList.push(old!);
  sample();
  assertEquals([meter.points().at(-1)!.errorsPerSecond, meter.pod().p99Ms], [0, null]);
  pod.serve(1, 0, { count: 8, status: 500 });
  sample();
  assertEquals(meter.points().at(-1)!.errorsPerSecond, 8);
});

Deno.test("TrafficMeter goes on when the wall clock is set back or ahead", () => {
  const { pod, meter, sample } = meteredPod();
  const dates = [600_000, 601_000, 602_000, 300_000, 301_000, 900_000];
  dates.forEach((date, second) => {
    sample(second * 1_000, date);
    pod.serve(0, 0, { count: 10 });
  });
  assertEquals(meter.pod().requestsPerSecond, 10);
  assertEquals(meter.points().map(({ at, requestsPerSecond }) => [at, requestsPerSecond]), [
    [300_000, 10],
    [301_000, 10],
    [900_000, 10],
  ]);
});

Deno.test("TrafficMeter.sample() ignores a clock that stands or goes back", () => {
  const { pod, meter, sample } = meteredPod();
  sample(5_000);
  pod.serve(0, 0);
  for (const at of [5_000, 4_000]) sample(at);
  assertEquals(meter.points(), []);
  assertEquals(meter.pod().requestsPerSecond, 0);
});
