// The `k8s://` source when the API server is away, refuses, or cannot be trusted: it keeps what it knows, asks
// again with patience, and says what is wrong.

import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { onePod, scenario, strict } from "./support/scenario.ts";
import { type Asked, ScriptedApi, slice } from "./support/scripted_api.ts";
import { Watched } from "./support/watched.ts";

scenario("keeps its endpoints while the server is away for an hour", async (api, watched) => {
  const watch = await api.listThenWatch("1", [onePod]);
  await watched.until(() => watched.addresses === "10.0.0.1");
  watch.breakOff();
  const began = watched.nowMs;
  while (watched.nowMs - began < 3_600_000) (await api.next()).refuse(503, "no quorum");
  await watched.until(() => watched.problem !== null);
  assertEquals(watched.told.length, 1);
  assertEquals(watched.source.describe().endpoints, 1);
  (await api.next()).open();
  await watched.until(() => watched.problem === null);
  // One line for going, one for coming back, however often it asked.
  assertEquals(watched.events.map((event) => event.replace(/:.*/, "")), ["failure", "recovery (1)"]);
  assert(watched.pauses.length < 200, `${watched.pauses.length} tries in an hour`);
});

scenario("names the server that it asks, or none where it knows of none", (api, { source }) => {
  const { KUBERNETES_SERVICE_PORT: port } = api.env;
  assertEquals(source.asks, `the Kubernetes API at https://127.0.0.1:${port}`);
  delete api.env.KUBERNETES_SERVICE_HOST;
  assertEquals(source.asks, "the Kubernetes API");
  return Promise.resolve();
});

scenario("says since when it fails, however the reason changes", async (api, watched) => {
  const since = () => watched.source.describe().failingSince;
  const watch = await api.listThenWatch("1", [onePod]);
  await watched.until(() => watched.addresses === "10.0.0.1");
  watch.breakOff();
  const refused = await api.next();
  const failedAt = since();
  assertEquals([failedAt !== null, watched.problem !== null], [true, true]);
  refused.refuse(503, "no quorum");
  await watched.until(() => watched.problem!.includes("503"));
  const next = await api.next();
  assertEquals([since(), watched.nowMs > 0], [failedAt, true]);
  next.open();
  await watched.until(() => watched.problem === null);
  assertEquals(since(), null);
});

scenario("hands over what it knows to the source that takes its place", async (api, watched) => {
  const watch = await api.listThenWatch("1", [onePod]);
  watch.event("ADDED", slice("s2", { "10.0.0.2": "ready" }, "2"));
  await watched.until(() => watched.addresses === "10.0.0.1 10.0.0.2");
  watch.breakOff();
  (await api.next()).refuse(503, "no quorum");
  await watched.until(() => watched.problem !== null);
  await using next = new Watched(api, { weight: 3 }, watched);
  assertEquals(next.told[0]?.map(({ host, weight }) => [host, weight]), [["10.0.0.1", 3], ["10.0.0.2", 3]]);
  assertEquals([next.source.describe(), next.events], [watched.source.describe(), []]);
  await watched.source.stop();
  const resumed = await api.next();
  assertEquals([resumed.isWatch, resumed.query.resourceVersion], [true, "2"]);
  resumed.open();
  await next.until(() => next.problem === null);
  assertEquals([next.told.length, next.events], [1, ["recovery (2)"]]);
});

scenario("waits longer after each failure, up to half a minute", async (api, watched) => {
  for (let failures = 0; failures < 9; failures++) (await api.next()).refuse(500);
  await api.next();
  // Draws of 0.5: three quarters of 500 ms, doubling, up to 30 s.
  assertEquals(watched.pauses, [375, 750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500, 22_500]);
});

scenario("slows down when the server ends each watch at once", async (api, watched) => {
  let watch = await api.listThenWatch("1", [onePod]);
  await watched.until(() => watched.addresses === "10.0.0.1");
  watched.pauses.length = 0;
  for (let ends = 0; ends < 3; ends++) {
    watch.end();
    watch = (await api.next()).open();
  }
  const tries = watched.pauses.filter((ms) => ms > 250);
  assertEquals(tries, [375, 750, 1_500]);
});

scenario("resumes soon where a watch of five quiet seconds ends", async (api, watched) => {
  const watch = await api.listThenWatch("1", [onePod]);
  await watched.until(() => watched.addresses === "10.0.0.1");
  watched.pauses.length = 0;
  watched.nowMs += 5_000;
  watch.end();
  (await api.next()).open();
  assertEquals(watched.pauses, [125]);
});

scenario("asks again when Retry-After says so", async (api, watched) => {
  (await api.next()).refuse(429, "", { "retry-after": "17" });
  await api.next();
  assertEquals(watched.pauses, [17_000]);
});

const refusals: [status: number, says: RegExp][] = [
  [401, /401, it does not accept the token/],
  [
    403,
    /403, the service account lacks list and watch on endpointslices.*namespace shop.*says: because/,
  ],
  [404, /404, it does not know discovery\.k8s\.io\/v1/],
  [500, /refuses to list and watch EndpointSlices in namespace shop: 500/],
];
for (const [status, says] of refusals) {
  scenario(`says what a ${status} means until it is over`, async (api, watched) => {
    (await api.next()).refuse(status, "because");
    await watched.until(() => watched.events.length > 0);
    assertMatch(watched.problem ?? "", says);
    (await api.next()).refuse(status, "because");
    const next = await api.next();
    assertEquals(watched.events.length, 1);
    assertMatch(watched.problem ?? "", says);
    next.list("1", [onePod]);
    await watched.until(() => watched.problem === null);
  });
}

// An empty list of Go is null in JSON.
for (const none of [[], null]) {
  scenario(
    `says what a Service without endpoints lacks, and tells that there is none: ${JSON.stringify(none)}`,
    async (api, watched) => {
      await api.listThenWatch("1", none);
      await watched.until(() => watched.told.length === 1);
      assertEquals(watched.told[0], []);
      assertEquals(watched.problem, "Service shop/api has no EndpointSlice: does it exist?");
    },
  );
}

scenario(
  "sends the token that the kubelet put there last, over the same connection",
  async (api, watched) => {
    const watch = await api.listThenWatch("1", [onePod]);
    api.files.token = "second";
    watch.end();
    const next = await api.next();
    assertEquals([next.token, next.connection], ["Bearer second", watch.connection]);
    await watched.until(() => watched.told.length === 1);
  },
);

scenario(
  "lists anew over another connection where a watch brings not even a bookmark, which is no failure",
  async (api, watched) => {
    const watch = await api.listThenWatch("3", [onePod]);
    await watched.until(() => watched.addresses === "10.0.0.1");
    const [silence] = watched.deadlines;
    watch.event("BOOKMARK", { metadata: { resourceVersion: "7" } });
    watch.event("ADDED", slice("s2", { "10.0.0.2": "ready" }, "8"));
    await watched.until(() => watched.addresses === "10.0.0.1 10.0.0.2");
    assertEquals([...watched.deadlines].map(({ ms }) => ms), [90_000]);
    assertEquals(watched.deadlines.has(silence!), false, "what comes puts it off");
    for (const deadline of watched.deadlines) deadline.pass();
    const list = await api.next();
    assertEquals(list.isWatch, false);
    assertNotEquals(list.connection, watch.connection, "the one before may be dead");
    // A server that was set back: what it counts by is less than before.
    list.list("2", [slice("s3", { "10.0.0.3": "ready" }, "2")]);
    await watched.until(() => watched.addresses === "10.0.0.3");
    assertEquals([(await api.next()).query.resourceVersion, watched.events], ["2", []]);
  },
);

for (const silentIn of ["list", "watch"]) {
  scenario(
    `says that nobody answers where a ${silentIn} has no head, and asks again over another connection`,
    async (api, watched) => {
      let asked = await api.next();
      if (silentIn === "watch") {
        asked.list("3", [onePod]);
        asked = await api.next();
        await watched.until(() => watched.addresses === "10.0.0.1");
      }
      assertEquals([...watched.deadlines].map(({ ms }) => ms), [30_000]);
      for (const deadline of watched.deadlines) deadline.pass();
      const again = await api.next();
      assertEquals(again.query.resourceVersion, asked.query.resourceVersion);
      assertNotEquals(again.connection, asked.connection, "the one before may be dead");
      assertEquals(watched.problem, "the Kubernetes API cannot be reached: no answer within 30 s");
    },
  );
}

Deno.test({
  name: "k8s:// trusts nobody but the cluster's own certificate authority",
  ...strict,
  fn: async () => {
    await using api = new ScriptedApi();
    // A certificate, but not the one that signed the server's.
    api.files["ca.crt"] = api.files["other-ca.crt"] ?? "";
    await using watched = new Watched(api);
    await watched.until(() => watched.events.length > 0);
    assertMatch(watched.problem ?? "", /cannot be reached: .*certificate/);
    assertEquals(api.opened.length, 0);
  },
});

Deno.test({
  name: "k8s:// says outside a cluster that it needs one",
  ...strict,
  fn: async () => {
    await using api = new ScriptedApi();
    delete api.files.token;
    await using watched = new Watched(api);
    await watched.until(() => watched.events.length > 0);
    assertMatch(
      watched.problem ?? "",
      /cannot read \/var\/run\/secrets\/kubernetes.io\/serviceaccount\/token .*only in a pod/,
    );
  },
});

Deno.test({
  name: "k8s:// without a namespace asks in the pod's own",
  ...strict,
  fn: async () => {
    await using api = new ScriptedApi();
    await using _watched = new Watched(api, { service: "api", namespace: null, port: 80 });
    const list = await api.next();
    assertEquals(list.path, "/apis/discovery.k8s.io/v1/namespaces/own/endpointslices");
    list.refuse(500);
  },
});

Deno.test({
  name: "k8s:// gives its pods what their address says, and the Service's name towards them",
  ...strict,
  fn: async () => {
    await using api = new ScriptedApi();
    await using watched = new Watched(api, { weight: 3, backup: true, drain: true });
    await api.listThenWatch("1", [onePod]);
    await watched.source.settled;
    assertEquals(watched.told, [[{
      id: "http://10.0.0.1:8080",
      scheme: "http",
      host: "10.0.0.1",
      port: 8080,
      authority: "api.shop.svc:8080",
      weight: 3,
      backup: true,
      drain: true,
    }]]);
  },
});

/** Answers with this refusal until the source is settled. @returns how many it took */
async function refuseUntilSettled(
  api: ScriptedApi,
  watched: Watched,
  ...refusal: Parameters<Asked["refuse"]>
) {
  let settled = false;
  watched.source.settled.then(() => settled = true);
  let refusals = 0;
  for (; !settled; refusals++) {
    (await api.next()).refuse(...refusal);
    await watched.until(() => watched.pauses.length > refusals);
    // Told in the same turn as the pause begins.
    await Promise.resolve();
  }
  return refusals;
}

scenario(
  "is not settled by failures that may pass, so that a start has its endpoints",
  async (api, watched) => {
    let settled = false;
    watched.source.settled.then(() => settled = true);
    for (const status of [429, 500, 503]) (await api.next()).refuse(status);
    const list = await api.next();
    assertEquals([settled, watched.events.length], [false, 1]);
    list.list("1", [onePod]);
    await watched.source.settled;
    assertEquals(watched.addresses, "10.0.0.1");
  },
);

scenario(
  "is settled when ten seconds of failures are over: a start waits no longer",
  async (api, watched) => {
    // 375, 750, 1,500 and 3,000 ms are 5,625; the next pause would be 6,000.
    assertEquals(await refuseUntilSettled(api, watched, 503), 5);
    assertEquals(watched.told, []);
  },
);

scenario("is settled at once when the server says to come back later than that", async (api, watched) => {
  assertEquals(await refuseUntilSettled(api, watched, 429, "", { "retry-after": "17" }), 1);
});

for (const status of [401, 403, 404]) {
  scenario(`is settled by a ${status}, which no waiting mends`, async (api, watched) => {
    assertEquals(await refuseUntilSettled(api, watched, status), 1);
  });
}

scenario("is settled at once outside of a cluster, and says so", async (api, watched) => {
  // The first request has read its token already.
  delete api.files.token;
  (await api.next()).refuse(503);
  await watched.source.settled;
  assertMatch(
    watched.problem!,
    /cannot be reached: cannot read .*token.*: k8s:\/\/ addresses work only in a pod/,
  );
});
