// Why a request goes, or went, where it does: told by a running Weir, over HTTP and on the command line.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Authority } from "../support/certificates.ts";
import { explained } from "../support/explained.ts";
import { ask } from "../support/raw_client.ts";
import { Gate, reply, scene, wait } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { needs } from "../support/tools.ts";
import { until } from "../support/until.ts";
import { type RunningWeir, runWeir } from "../support/weir.ts";

/** `weir explain` against a running one. */
function explainCommand(weir: RunningWeir, ...flags: string[]) {
  const { hostname, port } = new URL(weir.adminUrl);
  return runWeir(["explain", "--admin-host", hostname, "--admin-port", port, ...flags]);
}

scenario("explain tells the route, those passed over, and each candidate with its score", async (props) => {
  const [a, b, spare] = [await props.origin(), await props.origin(), await props.origin()];
  const weir = await props.weir({
    workers: 2,
    config: {
      upstreams: {
        api: {
          endpoints: [a.url, b.url, { url: spare.url, backup: true }],
          balance: { policy: "least_request", choices: "all" },
          health: { kind: "off" },
        },
      },
      routes: [
        { name: "orders", match: { path: "/api/orders/*" }, respond: { status: 204 } },
        { name: "api", match: { path: "/api/*" }, upstream: "api" },
      ],
    },
  });
  const told = await explained(weir, "path=/api/x");
  assertEquals([told.route, told.upstream], ["api", "api"]);
  assertEquals(told.passedOver.map(({ route }: { route: string }) => route), ["orders"]);
  const of = ({ url }: { url: string }) =>
    told.candidates.find(({ endpoint }: { endpoint: string }) => endpoint === url);
  assertEquals([of(a).score, of(b).score, of(spare).score], [0, 0, undefined]);
  assertEquals(of(spare).whyNot, "a backup: enough primaries serve");
  assertEquals(told.why, "least_request over 2 of 3 endpoints");
  assertEquals([a.url, b.url].includes(told.pick), true);
  const { code, stdout } = await explainCommand(weir, "--path", "/api/x");
  assertEquals(code, 0);
  assertMatch(stdout, /^route api\n {2}not orders: .+\nupstream api\n/);
  assertStringIncludes(stdout, "not picked: a backup: enough primaries serve");
});

scenario("explain says when a request lacks what its upstream hashes", async (props) => {
  const [a, b] = [await props.origin(), await props.origin()];
  const balance = { policy: "consistent_hash", hashOn: { cookie: "session" } };
  const upstreams = { api: { endpoints: [a.url, b.url], balance, health: { kind: "off" } } };
  const weir = await props.weir({ config: { upstreams } });
  assertEquals(
    (await explained(weir, "path=/")).why,
    "least_request, as the request has no cookie session to hash, over 2 of 2 endpoints",
  );
  assertEquals(
    (await explained(weir, "path=/&header=Cookie:%20session=a")).why,
    "consistent_hash over 2 of 2 endpoints",
  );
});

scenario("explain says what comes of a request while every endpoint is at its limit", async (props) => {
  const gate = new Gate();
  const origin = await props.origin(scene(wait(gate), reply(200)));
  const upstream = (limits: Record<string, unknown>) => ({
    endpoints: [origin.url],
    limits: { inFlightPerEndpointMax: 1, ...limits },
    health: { kind: "off" },
  });
  const weir = await props.weir({
    config: {
      upstreams: { patient: upstream({ queueMax: 1 }), hasty: upstream({ queueMax: 0 }) },
      routes: [{ match: { path: "/hasty" }, upstream: "hasty" }, { upstream: "patient" }],
    },
  });
  const why = async (path: string) => (await explained(weir, `path=${path}`)).why;
  const asked: Promise<unknown>[] = [];
  for (const target of ["/1", "/hasty"]) {
    asked.push(ask(weir.url, { target }));
    await origin.request(asked.length);
  }
  const told = [await why("/hasty"), await why("/")];
  asked.push(ask(weir.url, { target: "/2" }));
  const waiting = () => weir.metric("weir_upstream_queue_waiting", { upstream: "patient" });
  await until("one waits", async () => await waiting() === 1);
  told.push(await why("/"));
  gate.open();
  await Promise.all(asked);
  const full = "every endpoint is at its limit of requests";
  assertEquals(told, [
    `${full}, and none may wait: 503`,
    `${full}: it would wait for room, at most 5000 ms; 0 of 1 places are taken`,
    `${full}, and the queue of 1 is full: 503`,
  ]);
});

scenario("the story of a retried request tells both attempts", async (props) => {
  const failing = await props.origin(reply(503));
  const serving = await props.origin(reply(200, { body: "fine" }));
  const weir = await props.weir({
    workers: 2,
    config: {
      headers: { requestIdFrom: "anyone" },
      upstreams: {
        api: {
          endpoints: [failing.url, { url: serving.url, backup: true }],
          retry: { onStatus: [503] },
          health: { kind: "off" },
          ejection: { enabled: false },
        },
      },
    },
  });
  await ask(weir.url, { target: "/x", headers: [["X-Request-Id", "first-of-many"]] });
  // The client has its answer before Weir has the story.
  const told = () => explained(weir, "id=first-of-many");
  await until("the story is there", async () => (await told()).kind === "story");
  const story = await told();
  assertEquals(story.attempts.length >= 2, true, JSON.stringify(story));
  assertEquals(story.attempts[0].outcome, "503");
  assertMatch(story.attempts[0].retryVerdict, /^yes/);
  const { code, stdout } = await explainCommand(weir, "--id", "first-of-many");
  assertEquals(code, 0);
  assertStringIncludes(stdout, `attempt 1: ${failing.url}`);
  assertStringIncludes(stdout, "attempt 2: ");
});

scenario("explain says so when it knows nothing of a request", async (props) => {
  const origin = await props.origin();
  const weir = await props.weir({ upstreams: origin.url });
  const { code } = await explainCommand(weir, "--id", "never-seen");
  assertEquals(code, 1);
  const wrong = await explainCommand(weir, "--pth", "/x");
  assertEquals(wrong.code, 64);
});

scenario(
  "explain tells what a route answers by itself, how it splits, and what it makes of the target",
  async (props) => {
    const origin = await props.origin();
    const weir = await props.weir({
      config: {
        upstreams: { app: { endpoints: [origin.url] }, canary: { endpoints: [origin.url] } },
        routes: [
          { match: { path: "/old/*" }, redirect: { to: "https://{host}{path}", status: 301 } },
          { match: { path: "/closed" }, respond: { status: 403 } },
          {
            name: "new",
            match: { path: "/new/*" },
            split: [{ upstream: "app", weight: 9 }, { upstream: "canary", weight: 1 }],
            splitSticky: true,
            rewrite: { stripPrefix: "/new" },
          },
          { name: "all", split: [{ upstream: "app", weight: 1 }, { upstream: "canary", weight: 0 }] },
        ],
      },
    });
    const why = async (query: string) => (await explained(weir, query)).why;
    assertEquals(
      await why("path=/old/a&host=app.test"),
      "the route answers by itself: 301 to https://app.test/old/a",
    );
    assertEquals(await why("path=/closed"), "the route answers by itself: 403");
    const { stdout: sticky } = await explainCommand(weir, "--path", "/new/a?b");
    assertMatch(
      sticky,
      /^ {2}splits app 9, canary 1: by client address\n {2}rewrites the target: \/a\?b\nupstream /m,
    );
    const { stdout: byTurn } = await explainCommand(weir, "--path", "/");
    assertMatch(byTurn, /^ {2}splits app 1, canary 0: by turn\nupstream app$/m);
    assertEquals(byTurn.includes("target"), false);
  },
);

scenario("explain names a route's rate limit and spends nothing of it", async (props) => {
  const origin = await props.origin();
  const route = { name: "slow", match: { path: "/slow" }, upstream: "default" };
  const gate = { name: "gate", match: { path: "/gate" }, respond: { status: 204 } };
  const weir = await props.weir({
    config: {
      upstreams: { default: { endpoints: [origin.url] } },
      routes: [
        { ...route, rateLimit: { requestsPerSecond: 0.001, burst: 1 } },
        { ...gate, rateLimit: { requestsPerSecond: 2.5, key: { header: "X-Key" } } },
      ],
    },
  });
  const limited = ["limits the rate to 0.001 a second, 1 at once, by client address: 429 beyond it"];
  for (const status of [200, 429, 429]) {
    for (let i = 0; i < 3; i++) assertEquals((await explained(weir, "path=/slow")).notes, limited);
    assertEquals((await ask(weir.url, { target: "/slow" })).status, status);
  }
  const own = await explained(weir, "path=/gate");
  assertEquals(own.notes, ["limits the rate to 2.5 a second, 3 at once, by header X-Key: 429 beyond it"]);
  assertEquals(own.why, "the route answers by itself: 204");
});

scenario("explain knows that clients come by https", async (props) => {
  await using authority = await Authority.create();
  const tls = await authority.install("site", await authority.issue());
  const origin = await props.origin();
  const weir = await props.weir({
    config: {
      listen: { tls },
      upstreams: { default: { endpoints: [origin.url] } },
      routes: [{ name: "whole", match: { host: "app.test:443" }, upstream: "default" }],
    },
  });
  assertEquals((await explained(weir, "path=/&host=app.test")).route, "whole");
}, needs("openssl"));
