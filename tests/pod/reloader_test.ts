// What a reload leaves behind, whatever comes of it: one event, one `lastReload`, and a pod that goes on.

import { assertEquals } from "@std/assert";
import type { ReloadInfo } from "../../src/admin/view.ts";
import type { Loaded, Refused } from "../../src/config/loading.ts";
import { EventBook } from "../../src/pod/event_book.ts";
import { FilesRefusedError } from "../../src/pod/pod_files.ts";
import { type Reloadable, Reloader } from "../../src/pod/reloader.ts";
import { load, loaded } from "../config/helpers.ts";
import { settled } from "../support/settled.ts";

/** A pod that takes over whatever it is given. */
class Pod implements Reloadable {
  lastReload: ReloadInfo | null = null;

  /** @param inFiles what changes in the files that it names, in words */
  constructor(public loaded: Loaded, private readonly inFiles: readonly string[] = []) {}

  reload(loaded: Loaded): Promise<readonly string[]> {
    this.loaded = loaded;
    return Promise.resolve(this.inFiles);
  }
}

/** Reloads a pod that runs `file` with what each of `loads` gives, one after the other. @returns the words of each */
async function reload(file: string, ...loads: (() => Promise<Loaded | Refused>)[]) {
  return await reloadPod(new Pod(await loaded({ file })), ...loads);
}

async function reloadPod(pod: Pod, ...loads: (() => Promise<Loaded | Refused>)[]) {
  const events = new EventBook(() => 0, () => {});
  const reloader = new Reloader({ pod, load: () => loads.shift()!(), events, date: () => 0 });
  while (loads.length > 0) {
    reloader.request("SIGHUP");
    await reloader.idle();
  }
  return { pod, words: events.recent().map(({ text }) => text) };
}

const API = "upstreams: {api: {endpoints: [http://10.0.0.1]}}\n";

Deno.test("a reload that fails in a way nobody foresaw is refused, and the next one is made", async () => {
  const fails = () => Promise.reject(new RangeError("Maximum call stack size exceeded"));
  const { pod, words } = await reload(API, fails, () => loaded({ file: API }));
  assertEquals(words, [
    "SIGHUP: refused, the old configuration stays: Maximum call stack size exceeded",
    "SIGHUP: applied: nothing changed",
  ]);
  assertEquals(pod.lastReload?.ok, true);
});

Deno.test("occasions that come while a reload is under way are answered by one more, after it", async () => {
  const pod = new Pod(await loaded({ file: API }));
  const events = new EventBook(() => 0, () => {});
  const loads: ((file: Loaded) => void)[] = [];
  const load = () => new Promise<Loaded>((resolve) => loads.push(resolve));
  const reloader = new Reloader({ pod, load, events, date: () => 0 });
  const words = () => events.recent().map(({ text }) => text);
  for (const why of ["first", "second", "third"]) reloader.request(why);
  await settled();
  assertEquals([loads.length, words()], [1, []]);
  loads[0]!(pod.loaded);
  await settled();
  assertEquals([loads.length, words()], [2, ["first: applied: nothing changed"]]);
  let idle = false;
  reloader.idle().then(() => idle = true);
  await settled();
  assertEquals(idle, false);
  loads[1]!(pod.loaded);
  await settled();
  assertEquals([loads.length, idle, words().slice(1)], [2, true, ["third: applied: nothing changed"]]);
});

Deno.test("a reload comes to nothing when the process stops, whatever it waits for, and nothing follows it", async () => {
  const waits = new Promise<never>(() => {});
  for (const step of ["load", "reload"] as const) {
    const pod = new Pod(await loaded({ file: API }));
    const events = new EventBook(() => 0, () => {});
    let loads = 0;
    const load = () => {
      loads++;
      return step === "load" ? waits : Promise.resolve(pod.loaded);
    };
    if (step === "reload") pod.reload = () => waits;
    const reloader = new Reloader({ pod, load, events, date: () => 0 });
    for (const why of ["first", "second"]) reloader.request(why);
    await settled();
    await reloader.stop();
    assertEquals(events.recent().map(({ text }) => text), [
      "first: refused, the old configuration stays: this process has stopped meanwhile",
    ]);
    assertEquals(loads, 1);
  }
});

Deno.test("a reload is refused that leaves no upstream, or whose files cannot be used, each with its place", async () => {
  const before = await loaded({ file: API });
  for (const nothing of ["", "upstreams: {}", "listen: {port: 4000}"]) {
    const { pod, words } = await reloadPod(new Pod(before), () => loaded({ file: nothing }));
    assertEquals(words, [
      "SIGHUP: refused, the old configuration stays: upstreams is empty, must name one at least",
    ]);
    assertEquals([pod.lastReload?.ok, pod.loaded], [false, before]);
  }
  const pod = new Pod(before);
  const findings = ["stickyKeyFile", "upstreams.api.tls.caFile"].map((subject, i) => ({
    subject,
    state: `is /f${i}, which cannot be read: it is gone`,
    place: `weir.yaml:${i + 1}:1`,
  }));
  pod.reload = () => Promise.reject(new FilesRefusedError(findings));
  await reloadPod(pod, () => loaded({ file: API }));
  assertEquals(pod.lastReload, {
    ok: false,
    at: 0,
    findings: [
      "stickyKeyFile is /f0, which cannot be read: it is gone (weir.yaml:1:1)",
      "upstreams.api.tls.caFile is /f1, which cannot be read: it is gone (weir.yaml:2:1)",
    ],
  });
});

Deno.test("a reload that is refused for a thousand reasons tells of the first ones", async () => {
  const file = Array.from({ length: 1_000 }, (_, i) => `key${i}: 1`).join("\n");
  const { pod, words } = await reload(API, () => load({ file }));
  assertEquals(pod.lastReload?.findings.length, 51);
  assertEquals(words[0]?.split("; ").length, 51);
  assertEquals(words[0]?.endsWith("; and 950 more"), true);
});

Deno.test("a reload that changes thousands of things tells of the first ones, of what files hold, and of all that takes a restart", async () => {
  const listing = (endpoints: number, upstreams: number, port: number) =>
    `listen: {port: ${port}}\nupstreams:\n  default: {endpoints: [${
      Array.from({ length: endpoints }, (_, i) => `"http://10.0.${i >> 8}.${i & 255}"`)
    }]}\n` + Array.from({ length: upstreams }, (_, i) =>
      `  u${i}: {endpoints: ["http://10.1.0.${i}"]}\n`).join("");
  const before = await loaded({ file: listing(1, 0, 3000) });
  const pod = new Pod(before, ["the sticky key changed"]);
  const { words } = await reloadPod(pod, () => loaded({ file: listing(2_001, 60, 4000) }));
  const [endpoints, ...rest] = words[0]!.split("; ");
  assertEquals(endpoints?.split(", ").length, 51);
  assertEquals(endpoints?.endsWith("http://10.0.0.50, and 1950 more"), true, endpoints);
  assertEquals(rest.slice(-4), [
    "upstreams.u48 added",
    "and 11 more",
    "the sticky key changed",
    "takes a restart: listen.port: 3000 -> 4000",
  ]);
});

/** What becomes of a reload from one file to another: its words up to the first reason. */
async function reloadTo(before: string, after: string): Promise<string> {
  const { words } = await reload(before, () => loaded({ file: after }));
  return words[0]!.replace(/ \[[a-z-]+\], why: .*/, "");
}

Deno.test("a reload that leads to an error of reason with what takes a restart as it is, or after one, is refused", async () => {
  const on = (port: number, upstream: number) =>
    `listen: {port: ${port}}\nupstreams: {api: {endpoints: ["http://127.0.0.1:${upstream}"]}}`;
  const refused = "SIGHUP: refused, the old configuration stays: error: upstreams.api.endpoints[0]";
  const place = "(config.yaml:2:31)";
  assertEquals(
    await reloadTo(on(3000, 80), on(4000, 3000)),
    `${refused} is Weir's own listen port 3000 ${place}`,
  );
  assertEquals(
    await reloadTo(on(3000, 80), on(4000, 4000)),
    `${refused} is Weir's own listen port 4000 ${place}`,
  );
  const trusting = "listen: {listener: wire, proxyProtocol: true}\ntrustedProxies: [10.0.0.1]\n" + API;
  assertEquals(
    await reloadTo(trusting, API),
    "SIGHUP: refused, the old configuration stays: error: listen.proxyProtocol is true, and trustedProxies is empty " +
      "(the start; its change takes a restart)",
  );
});

Deno.test("an error of reason that is there already keeps no route from being added before it", async () => {
  const tied = [
    "{name: a, upstream: api, match: {query: {x: y}}}",
    "{name: b, upstream: api, match: {query: {z: y}}}",
  ];
  const routes = (...list: string[]) => `${API}routes: [${list.join(", ")}]`;
  const added = "{name: c, upstream: api, match: {path: /c, query: {x: y}}}";
  assertEquals(
    await reloadTo(routes(...tied), routes(added, ...tied)),
    "SIGHUP: applied: routes: added c",
  );
  assertEquals(
    await reloadTo(routes(...tied), routes(...tied, "{name: d, upstream: api, match: {query: {w: y}}}")),
    "SIGHUP: refused, the old configuration stays: error: routes[2].match ties with routes[0] (a) and 1 more (config.yaml:2:142)",
  );
});
