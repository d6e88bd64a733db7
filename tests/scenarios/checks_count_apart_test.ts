// Two upstreams that share an address, and endpoints that share a name, each have checks of their own.

import { assertEquals } from "@std/assert";
import { adminView } from "../../src/pod/admin_view.ts";
import { ScriptedDns } from "../support/scripted_dns.ts";
import { RunningPod } from "../support/pod.ts";
import { reply, startOrigin } from "../support/raw_origin.ts";
import { until } from "../support/until.ts";

Deno.test({
  name: "every endpoint counts the checks that were made of it, and no others",
  sanitizeOps: true,
  sanitizeResources: true,
  fn: async () => {
    await using origin = await startOrigin(reply(503));
    const { port } = new URL(origin.url);
    await using dns = new ScriptedDns();
    // Nobody listens at the second address.
    dns.answers.set("app.test", { a: ["127.0.0.1", "127.0.0.9"] });
    const endpoints = [`dns+http://app.test:${port}`];
    const discovery = { nameServer: `127.0.0.1:${dns.port}` };
    await using pod = await RunningPod.start({ WORKERS: "1" }, {
      upstreams: {
        connects: { endpoints, discovery, health: { kind: "tcp" } },
        asks: { endpoints, discovery, health: { path: "/healthz" } },
      },
      routes: [{ match: {}, upstream: "asks" }],
    });
    const view = adminView(pod.pod);
    const checks = () =>
      view.upstreams().flatMap(({ name, endpoints }) =>
        endpoints.map(({ id, checksPassed, checksFailed }) => ({
          what: `${name} ${new URL(id).hostname}`,
          results: `${checksPassed > 0 ? "passed" : ""}${checksFailed > 0 ? "failed" : ""}`,
        }))
      );
    await until("each was checked", () => checks().every(({ results }) => results !== ""));
    assertEquals(checks().map(({ what, results }) => `${what} ${results}`), [
      "connects 127.0.0.1 passed",
      "connects 127.0.0.9 failed",
      "asks 127.0.0.1 failed",
      "asks 127.0.0.9 failed",
    ]);
  },
});
