// A reload that a pod has no room for changes nothing: not even for an upstream that it would have dropped, while the
// name server of that fails.

import { assertEquals, assertRejects } from "@std/assert";
import { DEFAULT_CAPACITY } from "../../src/board/layout.ts";
import { configSchema } from "../../src/config/schema.ts";
import { BoardFullError } from "../../src/control/row_allocator.ts";
import { ScriptedDns } from "../support/scripted_dns.ts";
import { RunningPod } from "../support/pod.ts";
import { ask } from "../support/raw_client.ts";
import { reply, startOrigin } from "../support/raw_origin.ts";
import { until } from "../support/until.ts";

Deno.test({
  name: "a reload that there is no room for leaves an upstream its endpoints while DNS fails",
  sanitizeOps: true,
  sanitizeResources: true,
  fn: async () => {
    await using origin = await startOrigin(reply(200));
    const { port } = new URL(origin.url);
    await using dns = new ScriptedDns();
    dns.answers.set("app.test", { a: ["127.0.0.1"] });
    const discovery = { nameServer: `127.0.0.1:${dns.port}` };
    const app = { endpoints: [`dns+http://app.test:${port}`], discovery };
    await using pod = await RunningPod.start({ WORKERS: "1" }, { upstreams: { app } });
    dns.answers.set("app.test", "servfail");
    const routes = Array.from({ length: DEFAULT_CAPACITY.routesMax * 2 }, (_, i) => ({
      match: { path: `/${i}` },
      upstream: "other",
    }));
    const upstreams = { other: { endpoints: [origin.url] } };
    const { loaded } = pod.pod;
    const config = { ...loaded.config, ...configSchema.parse({ upstreams, routes }) };
    await assertRejects(() => pod.pod.reload({ ...loaded, config }), BoardFullError);
    assertEquals((await ask(pod.url)).status, 200);
  },
});

Deno.test({
  name: "a pod that has no room for all endpoints follows them while a reload waits for new addresses",
  sanitizeOps: true,
  sanitizeResources: true,
  fn: async () => {
    await using dns = new ScriptedDns();
    dns.answers.set("app.test", { a: ["127.0.0.1"] });
    const discovery = { nameServer: `127.0.0.1:${dns.port}`, intervalMs: 100 };
    const app = { endpoints: ["dns+http://app.test:1"], discovery };
    await using pod = await RunningPod.start({ WORKERS: "1" }, { upstreams: { app } });
    const { loaded, publisher, upstreams } = pod.pod;
    const hosts = () => publisher.snapshot!.upstreams[0]!.endpoints.map(({ host }) => host);
    Object.assign(publisher, { endpointsMax: 1 });
    const found = Promise.withResolvers<void>();
    const apply = upstreams.apply.bind(upstreams);
    upstreams.apply = async (...given) => {
      const applying = apply(...given);
      await found.promise;
      await applying;
    };
    const reloading = pod.pod.reload(loaded);
    try {
      dns.answers.set("app.test", { a: ["127.0.0.2", "127.0.0.3"] });
      await until("the new endpoints are published", () => hosts().join() === "127.0.0.2");
      assertEquals(publisher.leftOut.get("app"), 1);
    } finally {
      found.resolve();
      await reloading;
    }
    assertEquals(hosts(), ["127.0.0.2"]);
  },
});
