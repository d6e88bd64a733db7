import { assertEquals } from "@std/assert";
import { EndpointState } from "../../src/board/verdicts.ts";
import { read } from "../../src/admin/reading.ts";
import { status } from "../../src/admin/status.ts";
import { TrafficMeter } from "../../src/admin/traffic.ts";
import { FakePod } from "./fake_pod.ts";

const A = "http://10.0.0.1:80";
const B = "http://10.0.0.2:80";
const MANY = Array.from({ length: 12 }, (_, i) => `http://10.0.2.${i + 1}:80`);
const DAY_MS = 86_400_000;
const FAILING = { problem: "no answer within 2000 ms", failingSince: Date.UTC(2026, 0, 2, 3, 4, 5, 678) };
const FAILING_WORDS = "since 2026-01-02T03:04:05Z: no answer within 2000 ms";

interface Case {
  readonly what: string;
  readonly happens: (pod: FakePod) => void;
  readonly upstreams?: Record<string, string[]>;
  readonly level: "ok" | "warning" | "critical";
  readonly headline: string;
  readonly notes?: readonly string[];
}

const CASES: readonly Case[] = [
  { what: "nothing is wrong", happens: () => {}, level: "ok", headline: "All 3 endpoints serve" },
  {
    what: "there is one endpoint",
    upstreams: { shop: [A] },
    happens: () => {},
    level: "ok",
    headline: "The one endpoint serves",
  },
  {
    what: "nothing is configured",
    upstreams: {},
    happens: () => {},
    level: "ok",
    headline: "No upstream is configured",
  },
  {
    what: "one endpoint is ejected",
    happens: (pod) => pod.eject(0, 1, "5 gateway failures in a row"),
    level: "warning",
    headline: "1 of 3 endpoints is out",
    notes: [`shop: ${B} is ejected: 5 gateway failures in a row`],
  },
  {
    what: "an endpoint drains",
    happens: (pod) => void pod.mark(0, 1, EndpointState.draining),
    level: "ok",
    headline: "Both endpoints serve",
    notes: [`shop: ${B} is draining`],
  },
  {
    what: "an endpoint waits for its first check",
    happens: (pod) => void pod.mark(0, 0, EndpointState.unchecked),
    level: "warning",
    headline: "1 of 3 endpoints is out",
    notes: [`shop: ${A} is waiting for its first check: takes no traffic before its first check`],
  },
  {
    what: "an upstream has no healthy endpoint and panics",
    happens: (pod) => pod.failCheck(1, 0, "connection refused"),
    level: "critical",
    headline: "blog has no healthy endpoint: all are tried all the same (whenAllUnhealthy: panic)",
    notes: ["1 of 3 endpoints is out", "blog: http://10.0.1.1:80 is unhealthy: connection refused"],
  },
  {
    what: "an upstream has no healthy endpoint and fails",
    happens: (pod) => {
      pod.failCheck(1, 0, "503");
      pod.upstreamList[1]!.whenAllUnhealthy = "fail";
    },
    level: "critical",
    headline: "blog has no healthy endpoint: its requests are answered 503",
    notes: ["1 of 3 endpoints is out", "blog: http://10.0.1.1:80 is unhealthy: 503"],
  },
  {
    what: "there is no room for what discovery found",
    happens: (pod) => pod.upstreamList[1]!.leftOut = 904,
    level: "warning",
    headline: "904 endpoints of blog are left out: this pod is full",
  },
  {
    what: "discovery is answered",
    happens: (pod) => pod.lookUp(0, "dns+http://shop.test:80"),
    level: "ok",
    headline: "All 3 endpoints serve",
  },
  {
    what: "discovery of one upstream fails",
    happens: (pod) => {
      pod.lookUp(0, "dns+http://shop.test:80", FAILING);
      pod.lookUp(0, "dns+http://other.test:80");
      pod.lookUp(1, "k8s://blog:http");
    },
    level: "warning",
    headline: "Discovery of shop fails",
    notes: [`shop: dns+http://shop.test:80 ${FAILING_WORDS}; 2 endpoints of its last answer stay in use`],
  },
  {
    what: "discovery of the only upstream fails in two ways",
    upstreams: { shop: [A, B] },
    happens: (pod) => {
      pod.lookUp(0, "dns+http://shop.test:80", { ...FAILING, endpoints: 1 });
      pod.lookUp(0, "k8s://shop:http", {
        ...FAILING,
        endpoints: 0,
        problem: "Service shop has no ready pod",
      });
    },
    level: "warning",
    headline: "Discovery of shop fails",
    notes: [
      `dns+http://shop.test:80 ${FAILING_WORDS}; 1 endpoint of its last answer stays in use`,
      "k8s://shop:http since 2026-01-02T03:04:05Z: Service shop has no ready pod",
    ],
  },
  {
    what: "discovery of several upstreams fails beside all that is graver, and what is not",
    upstreams: { shop: [A, B], blog: [] },
    happens: (pod) => {
      pod.lookUp(0, "dns+http://shop.test:80", FAILING);
      pod.lookUp(1, "dns+http://blog.test:80", { ...FAILING, endpoints: 0, answeredAt: null });
      pod.upstreamList[0]!.leftOut = 1;
      pod.eject(0, 1, "slow");
    },
    level: "critical",
    headline: "blog has no endpoint: its requests are answered 503",
    notes: [
      "1 of 2 endpoints is out",
      `shop: ${B} is ejected: slow`,
      "Discovery of 2 upstreams fails",
      `shop: dns+http://shop.test:80 ${FAILING_WORDS}; 2 endpoints of its last answer stay in use`,
      `blog: dns+http://blog.test:80 ${FAILING_WORDS}; no answer so far`,
      "1 endpoint of shop is left out: this pod is full",
    ],
  },
  {
    what: "an upstream has no endpoint",
    upstreams: { shop: [A], blog: [] },
    happens: () => {},
    level: "critical",
    headline: "blog has no endpoint: its requests are answered 503",
  },
  {
    what: "all that does not drain is out",
    happens: (pod) => {
      pod.mark(0, 0, EndpointState.draining);
      pod.failCheck(0, 1, "503");
      pod.upstreamList[0]!.whenAllUnhealthy = "fail";
    },
    level: "warning",
    headline: "shop is left to endpoints that drain: no other can be used",
    notes: ["1 of 2 endpoints is out", `shop: ${B} is unhealthy: 503`, `shop: ${A} is draining`],
  },
  {
    what: "all endpoints drain",
    upstreams: { shop: [A] },
    happens: (pod) => void pod.mark(0, 0, EndpointState.draining),
    level: "warning",
    headline: "shop is left to endpoints that drain: no other can be used",
    notes: [`${A} is draining`],
  },
  {
    what: "one that drains is unhealthy, too",
    upstreams: { shop: [A] },
    happens: (pod) => void pod.mark(0, 0, EndpointState.draining | EndpointState.ejected),
    level: "critical",
    headline: "shop has no healthy endpoint: all are tried all the same (whenAllUnhealthy: panic)",
    notes: ["1 of 1 endpoint is out", `${A} is ejected`],
  },
  {
    what: "one request in ten fails",
    happens: (pod) => {
      pod.serve(0, 0, { count: 90 });
      pod.serve(0, 0, { count: 10, status: 503 });
    },
    level: "critical",
    headline: "10 % of requests are answered 5xx",
    notes: ["10 a second on route shop: 10 % of its requests"],
  },
  {
    what: "fewer than one request in a hundred fails",
    happens: (pod) => {
      pod.serve(0, 0, { count: 997 });
      pod.serve(0, 0, { count: 9, status: 503 });
    },
    level: "ok",
    headline: "All 3 endpoints serve",
  },
  {
    what: "a worker is down and an upstream, too: what makes requests fail comes first",
    happens: (pod) => {
      pod.workerList[0]!.state = "restarting";
      pod.state.reasons = ["worker 0 restarts: it threw"];
      pod.failCheck(1, 0, "503");
      pod.upstreamList[1]!.whenAllUnhealthy = "fail";
    },
    level: "critical",
    headline: "blog has no healthy endpoint: its requests are answered 503",
    notes: [
      "1 of 2 workers serves",
      "worker 0 restarts: it threw",
      "1 of 3 endpoints is out",
      "blog: http://10.0.1.1:80 is unhealthy: 503",
    ],
  },
  {
    what: "two endpoints of the only upstream are out",
    upstreams: { shop: [A, B, "http://10.0.0.3:80"] },
    happens: (pod) => {
      pod.eject(0, 0, "slow");
      pod.failCheck(0, 1, "503");
    },
    level: "warning",
    headline: "2 of 3 endpoints are out",
    notes: [`${A} is ejected: slow`, `${B} is unhealthy: 503`],
  },
  {
    what: "more is out than anybody reads: the rest is counted, and does not hide what else is wrong",
    upstreams: { shop: MANY, blog: [], news: [] },
    happens: (pod) => {
      MANY.forEach((_, i) => pod.eject(0, i, "slow"));
      pod.upstreamList[1]!.leftOut = 2;
      pod.upstreamList[2]!.leftOut = 1;
      pod.reload(false, ["port is 0"]);
    },
    level: "critical",
    headline: "shop has no healthy endpoint: all are tried all the same (whenAllUnhealthy: panic)",
    notes: [
      "blog has no endpoint: its requests are answered 503",
      "news has no endpoint: its requests are answered 503",
      "12 of 12 endpoints are out",
      ...MANY.slice(0, 10).map((id) => `shop: ${id} is ejected: slow`),
      "and 2 more",
      "2 endpoints of blog are left out: this pod is full",
      "1 endpoint of news is left out: this pod is full",
      "The last reload was refused: version 3 still serves",
      "port is 0",
    ],
  },
  {
    what: "more endpoints drain than anybody reads",
    upstreams: { shop: [A, ...MANY] },
    happens: (pod) => MANY.forEach((_, i) => pod.mark(0, i + 1, EndpointState.draining)),
    level: "ok",
    headline: "The one endpoint serves",
    notes: [...MANY.slice(0, 10).map((id) => `${id} is draining`), "and 2 more"],
  },
  {
    what: "an endpoint leaves",
    happens: (pod) => void pod.mark(0, 1, EndpointState.leaving),
    level: "ok",
    headline: "Both endpoints serve",
    notes: [`shop: ${B} is leaving`],
  },
  {
    what: "one request in a hundred fails",
    happens: (pod) => {
      pod.serve(0, 0, { count: 99 });
      pod.serve(0, 0, { count: 1, status: 503 });
    },
    level: "warning",
    headline: "1.0 % of requests are answered 5xx",
    notes: ["1.0 a second on route shop: 1.0 % of its requests"],
  },
  {
    what: "the pod has no room for some requests",
    happens: (pod) => {
      pod.serve(0, 0, { count: 90 });
      pod.reject(10);
    },
    level: "critical",
    headline: "10 % of requests are answered 5xx",
    notes: ["10 a second are refused: the pod is at limits.inFlightMax"],
  },
  {
    what: "there is no room for some requests at two upstreams",
    happens: (pod) => {
      pod.serve(0, 0, { count: 80 });
      pod.serve(0, 0, { count: 20, status: 503 });
      pod.crowdOut(0, 10, "queueFull");
      pod.crowdOut(0, 4, "queueTimeouts");
      pod.crowdOut(1, 6, "queueTimeouts");
    },
    level: "critical",
    headline: "20 % of requests are answered 5xx",
    notes: [
      "20 a second on route shop: 20 % of its requests",

      "14 a second find no room at shop, or none in time: its endpoints are at limits.inFlightPerEndpointMax",
      "6.0 a second find no room at blog, or none in time: its endpoints are at limits.inFlightPerEndpointMax",
    ],
  },
  {
    what: "the last reload was taken",
    happens: (pod) => pod.reload(true),
    level: "ok",
    headline: "All 3 endpoints serve",
  },
  {
    what: "the last reload was refused",
    happens: (pod) => pod.reload(false, ["port is 0"]),
    level: "warning",
    headline: "The last reload was refused: version 3 still serves",
    notes: ["port is 0"],
  },
  {
    what: "a worker is down",
    happens: (pod) => {
      pod.workerList[0]!.state = "restarting";
      pod.state.reasons = ["worker 0 restarts: it threw"];
    },
    level: "warning",
    headline: "1 of 2 workers serves",
    notes: ["worker 0 restarts: it threw"],
  },
  {
    what: "the certificate is good for more than two weeks",
    happens: (pod) => pod.certify(15 * DAY_MS),
    level: "ok",
    headline: "All 3 endpoints serve",
  },
  {
    what: "the certificate expires soon",
    happens: (pod) => pod.certify(14 * DAY_MS),
    level: "warning",
    headline: "The certificate expires in 13 days",
  },
  {
    what: "the certificate has expired",
    happens: (pod) => pod.certify(0),
    level: "critical",
    headline: "The certificate has expired",
  },
  {
    what: "the renewed certificate is not served",
    happens: (pod) => pod.certify(90 * DAY_MS, "the key does not belong to the certificate"),
    level: "warning",
    headline: "The certificate in the files is not served: the one before it is",
    notes: ["the key does not belong to the certificate"],
  },
  {
    what: "a worker hangs",
    happens: (pod) => {
      pod.workerList[0]!.state = "hung";
      pod.state.ready = false;
      pod.state.reasons = ["draining: no new clients", "worker 0: hangs"];
    },
    level: "critical",
    headline: "Worker 0 hangs: this pod leaves, to be restarted",
    notes: ["draining: no new clients", "worker 0: hangs"],
  },
  {
    what: "the pod is not ready",
    happens: (pod) => {
      pod.state.ready = false;
      pod.state.reasons = ["no worker serves"];
    },
    level: "critical",
    headline: "This pod does not take traffic",
    notes: ["no worker serves"],
  },
  {
    what: "the pod drains",
    happens: (pod) => {
      pod.state.ready = false;
      pod.info.draining = { since: 0, deadlineAt: 30_000 };
    },
    level: "warning",
    headline: "This pod is draining and will stop",
  },
  {
    what: "the pod starts",
    happens: (pod) => {
      pod.state.ready = pod.state.started = false;
    },
    level: "warning",
    headline: "This pod is starting",
  },
  {
    what: "a few requests fail",
    happens: (pod) => {
      pod.serve(0, 0, { count: 96 });
      pod.serve(0, 0, { count: 4, status: 503 });
    },
    level: "warning",
    headline: "4.0 % of requests are answered 5xx",
    notes: ["4.0 a second on route shop: 4.0 % of its requests"],
  },
  {
    what: "many requests fail although every endpoint serves",
    happens: (pod) => pod.serve(0, 0, { count: 9, status: 500 }),
    level: "critical",
    headline: "100 % of requests are answered 5xx",
    notes: ["9.0 a second on route shop: 100 % of its requests"],
  },
  {
    what: "requests fail on two routes: the one with the most failures comes first",
    happens: (pod) => {
      pod.serve(0, 0, { count: 28 });
      pod.serve(0, 0, { count: 2, status: 503 });
      pod.serve(1, 0, { count: 16 });
      pod.serve(1, 0, { count: 4, status: 500 });
    },
    level: "critical",
    headline: "12 % of requests are answered 5xx",
    notes: [
      "4.0 a second on route blog: 20 % of its requests",
      "2.0 a second on route shop: 6.7 % of its requests",
    ],
  },
  {
    what: "requests fail on the only route",
    upstreams: { shop: [A, B] },
    happens: (pod) => pod.serve(0, 0, { status: 500 }),
    level: "critical",
    headline: "100 % of requests are answered 5xx",
  },
];

for (const { what, happens, upstreams, level, headline, notes = [] } of CASES) {
  Deno.test(`verdict() when ${what}`, () => {
    const pod = new FakePod(() => 0, upstreams ?? { shop: [A, B], blog: ["http://10.0.1.1:80"] });
    const meter = new TrafficMeter();
    meter.sample(0, 0, read(pod));
    happens(pod);
    meter.sample(1_000, 1_000, read(pod));
    assertEquals(status(1_000, read(pod), meter, []).verdict, { level, headline, notes });
  });
}
