// The `k8s://` source against an API server that does everything a real one does badly.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { onePod, scenario } from "./support/scenario.ts";
import { type Asked, slice } from "./support/scripted_api.ts";

scenario("lists with its token and selector, then watches from there", async (api, watched) => {
  const list = await api.next();
  assertEquals(list.path, "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices");
  assertEquals(list.query, { labelSelector: "kubernetes.io/service-name=api", limit: "50" });
  assertEquals(list.token, "Bearer first");
  assertEquals(watched.source.describe().answeredAt, null);
  list.list("7", [onePod]);
  const watch = await api.next();
  assertEquals(watch.query, {
    labelSelector: "kubernetes.io/service-name=api",
    watch: "1",
    allowWatchBookmarks: "true",
    resourceVersion: "7",
    timeoutSeconds: "150",
  });
  watch.open();
  await watched.until(() => watched.addresses === "10.0.0.1");
  assertEquals(watched.source.describe(), {
    source: "k8s://api.shop:http",
    endpoints: 1,
    answeredAt: 1_000_000 + watched.nowMs,
    problem: null,
    failingSince: null,
  });
});

scenario("reads a list of several pages as one", async (api, watched) => {
  (await api.next()).list("7", [onePod], "more");
  const second = await api.next();
  assertEquals(second.query.continue, "more");
  second.list("7", [slice("s2", { "10.0.0.2": "ready" })]);
  await watched.until(() => watched.addresses === "10.0.0.1 10.0.0.2");
  assertEquals(watched.told.length, 1);
});

scenario("follows added, modified and deleted slices, bookmarks and unknown events", async (api, watched) => {
  const watch = await api.listThenWatch("1", [onePod]);
  watch.event("ADDED", slice("s2", { "10.0.0.2": "ready" }, "2"));
  await watched.until(() => watched.addresses === "10.0.0.1 10.0.0.2");
  watch.event("MODIFIED", slice("s1", { "10.0.0.1": "leaving" }, "3"));
  await watched.until(() => watched.addresses === "~10.0.0.1 10.0.0.2");
  watch.event("DELETED", slice("s2", {}, "4"));
  // Nothing else is left, so the leaving pod is used like any other.
  await watched.until(() => watched.addresses === "10.0.0.1");
  watch.event("BOOKMARK", { metadata: { resourceVersion: "90" } });
  watch.event("SOMETHING_NEW", { metadata: { resourceVersion: "91" } });
  watch.end();
  const resumed = await api.next();
  assertEquals(resumed.query.resourceVersion, "91");
});

scenario(
  "goes on where it was when the server closes the watch, also within a line",
  async (api, watched) => {
    let watch = await api.listThenWatch("1", [onePod]);
    const line = JSON.stringify({ type: "ADDED", object: slice("s2", { "10.0.0.2": "ready" }, "2") });
    watch.event("MODIFIED", slice("s1", { "10.0.0.9": "ready" }, "5")).bytes(new TextEncoder().encode(line));
    watch.end();
    watch = await api.next();
    assertEquals([watch.isWatch, watch.query.resourceVersion], [true, "5"]);
    watch.open().event("ADDED", slice("s2", { "10.0.0.2": "ready" }, "6"));
    await watched.until(() => watched.addresses === "10.0.0.2 10.0.0.9");
    watch.breakOff();
    watch = await api.next();
    assertEquals([watch.isWatch, watch.query.resourceVersion], [true, "6"]);
  },
);

for (const how of ["status", "event"] as const) {
  scenario(`lists anew when its place is forgotten (410 as ${how})`, async (api, watched) => {
    const first = await api.listThenWatch("1", [onePod, slice("s2", { "10.0.0.2": "ready" })]);
    if (how === "event") first.event("ERROR", { kind: "Status", code: 410, message: "too old" });
    else {
      first.end();
      (await api.next()).refuse(410, "too old");
    }
    const again = await api.next();
    assertEquals(again.isWatch, false);
    assertEquals(watched.addresses, "10.0.0.1 10.0.0.2");
    again.list("50", [slice("s2", { "10.0.0.3": "ready" })]);
    assertEquals((await api.next()).query.resourceVersion, "50");
    await watched.until(() => watched.addresses === "10.0.0.3");
    assertEquals(watched.problem, null);
  });
}

scenario(
  "lists at once where a server that was away has forgotten its place, and waits where it forgets again",
  async (api, watched) => {
    const tries = () => watched.pauses.filter((ms) => ms > 250);
    const forgotten = { kind: "Status", code: 410, message: "too old resource version: 1 (238)" };
    const watch = await api.listThenWatch("1", [onePod]);
    await watched.until(() => watched.addresses === "10.0.0.1");
    watch.breakOff();
    for (let failures = 0; failures < 6; failures++) (await api.next()).refuse(503);
    const resumed = await api.next();
    watched.pauses.length = 0;
    resumed.open().event("ERROR", forgotten);
    const list = await api.next();
    assertEquals([resumed.query.resourceVersion, list.isWatch, tries()], ["1", false, []]);
    list.list("238", [slice("s2", { "10.0.0.3": "ready" })]);
    (await api.next()).open().event("ERROR", forgotten);
    assertEquals([(await api.next()).isWatch, tries()], [false, [22_500]]);
  },
);

scenario("takes events in their order, also one that is written in another way", async (api, watched) => {
  const watch = await api.listThenWatch("1", [onePod]);
  await watched.until(() => watched.addresses === "10.0.0.1");
  const { metadata, ...rest } = slice("s1", { "10.0.0.3": "ready" }, "3");
  const lines = [
    { type: "MODIFIED", object: slice("s1", { "10.0.0.2": "ready" }, "2") },
    { object: { ...rest, metadata }, type: "MODIFIED" },
  ];
  // The one that tells that the watch is open.
  await watched.until(() => watched.pauses.length > 0);
  watched.holdPauses = true;
  watch.bytes(new TextEncoder().encode(lines.map((line) => JSON.stringify(line) + "\n").join("")));
  watch.end();
  await watched.until(() => watched.held.length > 1);
  watched.holdPauses = false;
  for (const pause of watched.held) pause.pass();
  assertEquals((await api.next()).query.resourceVersion, "3");
  await watched.until(() => watched.told.length > 1);
  assertEquals(watched.addresses, "10.0.0.3");
});

scenario("tells nothing any more once it is stopped", async (api, watched) => {
  const watch = await api.listThenWatch("1", [onePod]);
  // The one that tells that the watch is open.
  await watched.until(() => watched.pauses.length > 0);
  watched.holdPauses = true;
  watch.event("ADDED", slice("s2", { "10.0.0.2": "ready" }, "2"));
  await watched.until(() => watched.held.length > 0);
  await watched.source.stop();
  assertEquals(watched.told.length, 1);
});

const nonsense: [what: string, act: (watch: Asked) => void][] = [
  ["a line that is not JSON", (watch) => watch.bytes(new TextEncoder().encode("{oops\n"))],
  ["a line that is null", (watch) => watch.bytes(new TextEncoder().encode("null\n"))],
  ["an event without a version", (watch) => watch.event("ADDED", { metadata: { name: "s9" } })],
  ["an event without a name", (watch) => watch.event("ADDED", { metadata: { resourceVersion: "9" } })],
  ["a line without an end", (watch) => {
    for (let megabytes = 0; megabytes < 9; megabytes++) watch.bytes(new Uint8Array(1_048_576).fill(0x20));
  }],
];
for (const [what, act] of nonsense) {
  scenario(`keeps what it knows and lists anew after ${what}`, async (api, watched) => {
    act(await api.listThenWatch("1", [onePod]));
    await watched.until(() => watched.problem !== null);
    assertStringIncludes(watched.problem ?? "", "makes no sense");
    const again = await api.next();
    assertEquals(again.isWatch, false);
    assertEquals(watched.addresses, "10.0.0.1");
    again.list("2", [onePod]);
    (await api.next()).open();
    await watched.until(() => watched.problem === null);
    assertEquals(watched.told.length, 1);
  });
}

scenario("tells a burst of changes once, with its last state", async (api, watched) => {
  let watch = await api.listThenWatch("1", [onePod]);
  await watched.until(() => watched.told.length === 1);
  watched.holdPauses = true;
  for (let change = 2; change <= 100; change++) {
    watch.event("MODIFIED", slice("s1", { [`10.0.0.${change}`]: "ready" }, String(change)));
  }
  watch.end();
  await watched.until(() => watched.held.length === 2);
  assertEquals(watched.told.length, 1);
  for (const { pass } of watched.held.splice(0)) pass();
  watch = await api.next();
  assertEquals(watch.query.resourceVersion, "100");
  await watched.until(() => watched.addresses === "10.0.0.100");
  assertEquals(watched.told.length, 2);
});

scenario(
  "ends on the last state of 1,000 endpoints in 10 slices that change 3,000 times",
  async (api, watched) => {
    const group = (index: number, turn: number) =>
      slice(
        `s${index}`,
        Object.fromEntries(Array.from({ length: 100 }, (_, n) => [
          `10.${turn % 200}.${index}.${n}`,
          (turn + n) % 7 === 0 ? "notReady" : "ready",
        ])),
        String(turn + 10),
      );
    const slices = Array.from({ length: 10 }, (_, index) => group(index, 0));
    const watch = await api.listThenWatch("1", slices);
    for (let turn = 1; turn <= 3_000; turn++) watch.event("MODIFIED", group(turn % 10, turn));
    const last = Array.from({ length: 10 }, (_, back) => 3_000 - back);
    const expected = last.flatMap((turn) =>
      Array.from(
        { length: 100 },
        (_, n) => (turn + n) % 7 === 0 ? [] : [`10.${turn % 200}.${turn % 10}.${n}`],
      ).flat()
    ).sort();
    await watched.until(() => watched.addresses.split(" ").sort().join() === expected.join());
    assert(expected.length > 850);
  },
);

scenario(
  "pauses as after a first failure once a watch has brought something, and hardly where it ended by itself",
  async (api, watched) => {
    for (let failures = 0; failures < 3; failures++) (await api.next()).refuse(500);
    const watch = await api.listThenWatch("1", [onePod]);
    watch.event("MODIFIED", slice("s1", { "10.0.0.2": "ready" }, "2"));
    await watched.until(() => watched.addresses === "10.0.0.2");
    watched.pauses.length = 0;
    watch.breakOff();
    (await api.next()).open().end();
    const sound = (await api.next()).open();
    sound.event("MODIFIED", slice("s1", { "10.0.0.3": "ready" }, "3"));
    await watched.until(() => watched.addresses === "10.0.0.3");
    sound.end();
    await api.next();
    // A quarter of a second lies between two words about endpoints.
    assertEquals(watched.pauses.filter((ms) => ms !== 250), [375, 750, 125]);
  },
);

scenario(
  "lets go of its connection, and of who waits for its first answer, when it is stopped",
  async (api, watched) => {
    let closed = 0;
    const close = api.api.close.bind(api.api);
    api.api.close = () => {
      closed++;
      close();
    };
    await api.next();
    await watched.source.stop();
    await watched.source.settled;
    assertEquals([closed, watched.told], [1, []]);
  },
);
