import { assertEquals, assertStringIncludes } from "@std/assert";
import { Backlog } from "../../src/control/discovery/kubernetes_backlog.ts";
import { onePod, scenario } from "./support/scenario.ts";
import { type ScriptedApi, slice } from "./support/scripted_api.ts";
import type { Watched } from "./support/watched.ts";
import { settled } from "../support/settled.ts";

const line = (type: string, object: unknown) => JSON.stringify({ type, object });
const ready = (name: string, version: string) => slice(name, { "10.0.0.1": "ready" }, version);

Deno.test("Backlog.keep() keeps the newest event of each slice, in the order of arrival", () => {
  const backlog = new Backlog();
  const [a1, b2, a3] = [ready("a", "1"), ready("b", "2"), ready("a", "3")];
  const lines = [line("ADDED", a1), line("MODIFIED", b2), line("DELETED", a3)];
  assertEquals(lines.map((one) => backlog.keep(one)), [true, true, true]);
  assertEquals([[...backlog.take()], [...backlog.take()]], [lines.slice(1), []]);
});

Deno.test("Backlog.keep() leaves what does not say at its start whose it is", () => {
  const others = [
    line("BOOKMARK", { kind: "EndpointSlice", metadata: { resourceVersion: "7" } }),
    line("ERROR", { kind: "Status", code: 410 }),
    line("MODIFIED", { metadata: { resourceVersion: "7", name: "a" } }),
    line("MODIFIED", { kind: "Pod", apiVersion: "v1", metadata: { name: "a" } }),
    ` ${line("MODIFIED", ready("a", "1"))}`,
    "{",
  ];
  assertEquals(others.map((one) => new Backlog().keep(one)), others.map(() => false));
});

scenario("reads what waits before an event of another kind, and resumes after it", async (api, watched) => {
  let watch = await api.listThenWatch("1", [onePod]);
  await watched.until(() => watched.told.length === 1);
  watch.event("MODIFIED", slice("s1", { "10.0.0.2": "ready" }, "2"));
  watch.event("BOOKMARK", { kind: "EndpointSlice", metadata: { resourceVersion: "9" } });
  watch.end();
  watch = await api.next();
  assertEquals(watch.query.resourceVersion, "9");
  await watched.until(() => watched.addresses === "10.0.0.2");
});

scenario("lists anew when an event that waited makes no sense after all", async (api, watched) => {
  const watch = await api.listThenWatch("1", [onePod]);
  await watched.until(() => watched.told.length === 1);
  watch.event("MODIFIED", slice("s2", { "10.0.0.2": "ready" }, "2"));
  watch.bytes(new TextEncoder().encode('{"type":"MODIFIED","object":{"metadata":{"name":"s1"}}}\n'));
  await watched.until(() => watched.problem !== null);
  assertStringIncludes(watched.problem ?? "", "makes no sense");
  const again = await api.next();
  assertEquals(again.isWatch, false);
  again.list("3", [onePod]);
  (await api.next()).open();
  await watched.until(() => watched.problem === null && watched.addresses === "10.0.0.1");
});

/** One event that makes no sense and one that waits behind it, at the end of a watch; then a list is due. */
async function spoil(api: ScriptedApi, watched: Watched) {
  const watch = await api.listThenWatch("1", [onePod]);
  await watched.until(() => watched.told.length === 1);
  watched.holdPauses = true;
  watch.bytes(new TextEncoder().encode('{"type":"MODIFIED","object":{"metadata":{"name":"s1"}}}\n'));
  watch.event("ADDED", slice("s2", { "10.0.0.2": "ready" }, "2"));
  watch.end();
  await watched.until(() => watched.problem !== null && watched.held.length === 2);
  const [look, question] = watched.held;
  return { look: look!, question: question! };
}

scenario(
  "lists anew after an event that makes no sense, also if somebody looks before",
  async (api, watched) => {
    const { look, question } = await spoil(api, watched);
    look.pass();
    await settled();
    question.pass();
    const list = await api.next();
    assertEquals([list.isWatch, watched.told.length], [false, 1]);
    list.list("9", [slice("s3", { "10.0.0.3": "ready" }, "9")]);
    assertEquals((await api.next()).open().query.resourceVersion, "9");
  },
);

scenario("reads nothing that waited from before a list after it", async (api, watched) => {
  const { look, question } = await spoil(api, watched);
  question.pass();
  (await api.next()).list("9", [slice("s3", { "10.0.0.3": "ready" }, "9")]);
  const resumed = (await api.next()).open();
  look.pass();
  await watched.until(() => watched.told.length === 2);
  assertEquals([resumed.query.resourceVersion, watched.addresses], ["9", "10.0.0.3"]);
  watched.holdPauses = false;
  resumed.end();
  for (const { pass } of watched.held.splice(2)) pass();
  assertEquals((await api.next()).query.resourceVersion, "9");
});
