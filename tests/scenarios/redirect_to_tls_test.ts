// The plain port beside TLS: every request is sent to https, and none goes to an upstream.

import { assertEquals } from "@std/assert";
import { freePort } from "../support/free_port.ts";
import { Authority } from "../support/certificates.ts";
import { ask } from "../support/raw_client.ts";
import { scenario } from "../support/scenario.ts";
import { needs } from "../support/tools.ts";
import { until } from "../support/until.ts";

const options = needs("openssl");

scenario("the plain port sends clients to https, with the method and the whole target", async (props) => {
  await using authority = await Authority.create();
  const files = await authority.install("site", await authority.issue());
  const origin = await props.origin();
  const redirectPort = freePort();
  const tls = { ...files, redirectPort, hstsMaxAgeS: 600 };
  const listen = { tls, readyPath: "/ready" };
  const upstreams = { default: { endpoints: [origin.url] } };
  const weir = await props.weir({ config: { listen, upstreams } });
  const plain = `http://127.0.0.1:${redirectPort}`;
  const host = (name: string) => ({ headers: [["Host", name]] as [string, string][] });

  const table: [string, Parameters<typeof ask>[1], number, string | undefined][] = [
    [
      "path and query",
      { target: "/a/../b?c=%2F", ...host("app.test") },
      308,
      "https://app.test/a/../b?c=%2F",
    ],
    ["another port", { target: "/", ...host("app.test:8080") }, 308, "https://app.test/"],
    [
      "a body",
      { method: "POST", target: "/form", body: "x=1", ...host("app.test") },
      308,
      "https://app.test/form",
    ],
    ["no sensible host", { target: "/", ...host("app.test/evil") }, 400, undefined],
    ["readiness", { target: "/ready", ...host("10.0.0.1") }, 200, undefined],
  ];
  await until("the plain port listens", () => ask(plain).then(() => true, () => false));
  for (const [name, request, status, location] of table) {
    const answer = await ask(plain, request);
    assertEquals([answer.status, answer.header("location")], [status, location], name);
    assertEquals(answer.header("strict-transport-security"), undefined, "RFC 6797 7.2: not over plain text");
  }
  assertEquals(origin.requests.length, 0);
  assertEquals(
    await weir.metric("weir_requests_total") >= table.length,
    true,
    "they are counted as any other",
  );
}, options);
