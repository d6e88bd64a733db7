// Origins behind TLS: what is verified, who is shown what, and how a failure is told to whom.

import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Authority } from "../support/certificates.ts";
import { MutualOrigin } from "../support/mutual_origin.ts";
import { ask } from "../support/raw_client.ts";
import { rewrite } from "../support/reload.ts";
import { scenario } from "../support/scenario.ts";
import { SecureOrigin } from "../support/secure_origin.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { needs } from "../support/tools.ts";
import { until } from "../support/until.ts";
import { runWeir, startWeir } from "../support/weir.ts";

const options = needs("openssl");

/** One upstream and one route for each origin, both by its name; `/NAME` goes there. */
function config(origins: Readonly<Record<string, Record<string, unknown>>>) {
  const route = (name: string) => ({ match: { path: `/${name}` }, upstream: name });
  return {
    upstreams: origins,
    routes: Object.keys(origins).map(route),
  };
}

scenario("a certificate is verified for the name that the operator wrote", async (props) => {
  await using authority = await Authority.create();
  await using origin = await SecureOrigin.start(await authority.issue({ names: ["app.test"] }));
  const tls = { caFile: authority.caFile, serverName: "app.test" };
  const weir = await props.weir({ config: config({ named: { endpoints: [origin.url], tls } }) });
  const answer = await ask(weir.url, { target: "/named" });
  assertEquals([answer.status, answer.text], [200, "app.test for anybody"]);
  assertMatch(await weir.admin("/status"), /"passed": true/, "the check uses the same settings");
}, options);

scenario("a reload with another name or client certificate holds from the next request on", async (props) => {
  await using authority = await Authority.create();
  const identity = await authority.issue({ names: ["app.test", "new.test"] });
  await using origin = await SecureOrigin.start(identity, authority.cert);
  const own = await authority.install("client", await authority.issue());
  const other = await authority.install("other", await authority.issue());
  const of = (tls: Record<string, unknown>) =>
    config({
      mutual: {
        endpoints: [origin.url],
        pool: { idleMs: 60_000 },
        tls: { caFile: authority.caFile, ...tls },
      },
    });
  const weir = await props.weir({ config: of({ serverName: "app.test", ...own }) });
  const answer = async () => (await ask(weir.url, { target: "/mutual" })).text;
  assertEquals(await answer(), "app.test for leaf2");
  assertEquals(await weir.metric("weir_endpoint_connections_idle"), 1);
  await rewrite(weir, of({ serverName: "new.test", ...own }));
  assertEquals(await answer(), "new.test for leaf2");
  await rewrite(weir, of({ serverName: "new.test", ...other }));
  assertEquals([await answer(), await answer()], ["new.test for leaf3", "new.test for leaf3"]);
  assertEquals(await weir.metric("weir_endpoint_connections_reused_total"), 1);
}, options);

scenario("a client certificate is shown to the origin that asks for it", async (props) => {
  await using authority = await Authority.create();
  await using origin = await SecureOrigin.start(
    await authority.issue({ names: ["app.test"] }),
    authority.cert,
  );
  const own = await authority.install("client", await authority.issue({ names: ["weir.test"] }));
  const tls = { caFile: authority.caFile, serverName: "app.test", ...own };
  const weir = await props.weir({ config: config({ mutual: { endpoints: [origin.url], tls } }) });
  const answer = await ask(weir.url, { target: "/mutual" });
  assertEquals([answer.status, answer.text], [200, "app.test for leaf2"]);
  assertMatch(await weir.admin("/status"), /"passed": true/, "the check shows it, too");
}, options);

scenario("what is wrong with an origin's TLS is told to operators, and not to clients", async (props) => {
  await using authority = await Authority.create();
  await using good = await SecureOrigin.start(await authority.issue({ names: ["app.test"] }));
  await using expired = await SecureOrigin.start(await authority.issue({ names: ["app.test"], days: -1 }));
  await using mutual = await MutualOrigin.start(authority);
  await using plain = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response());
  const trusting = { caFile: authority.caFile, serverName: "app.test" };
  const table = {
    expired: { url: expired.url, tls: trusting, cause: "certificate expired" },
    name: {
      url: good.url,
      tls: { caFile: authority.caFile },
      cause: "certificate is for another name than 127.0.0.1: app.test",
    },
    authority: {
      url: good.url,
      tls: { serverName: "app.test" },
      cause: "certificate of an unknown authority",
    },
    plain: {
      url: `https://127.0.0.1:${plain.addr.port}`,
      tls: trusting,
      cause: "the endpoint does not speak TLS",
    },
    mutual: { url: mutual.url, tls: trusting, cause: "the endpoint asks for a client certificate" },
  };
  const health = { kind: "http", path: "/", intervalMs: 100, changingIntervalMs: 50, fall: 1 };
  const upstreams = Object.fromEntries(
    Object.entries(table).map(([name, { url, tls }]) => [name, { endpoints: [url], tls, health }]),
  );
  const weir = await props.weir({ config: config(upstreams) });
  for (const [name, { cause }] of Object.entries(table)) {
    const answer = await ask(weir.url, { target: `/${name}` });
    assertEquals(answer.status, 502, name);
    assertMatch(answer.header("proxy-status") ?? "", /error=tls_protocol_error/, name);
    assert(!/certificate|TLS|127\.0\.0\.1/i.test(answer.text), answer.text);
    const id = answer.header("x-request-id")!;
    const story = () => weir.admin(`/explain?id=${encodeURIComponent(id)}`);
    await until(`the story of ${name} says why`, async () => (await story()).includes(cause));
    await until(`the check of ${name} says why`, async () => (await weir.admin("/status")).includes(cause));
  }
}, options);

scenario(
  "an answer that ends with its connection is whole only when the origin ends TLS, too",
  async (props) => {
    await using authority = await Authority.create();
    const ending = { whole: "end", cut: "destroy" } as const;
    const server = tls.createServer({ ...await authority.issue() }, (socket) => {
      socket.once("data", (request) => {
        const ended = request.includes("/whole") ? "whole" : "cut";
        socket.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", () => socket[ending[ended]]());
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const endpoints = [`https://127.0.0.1:${(server.address() as AddressInfo).port}`];
    const weir = await props.weir({
      config: { upstreams: { a: { endpoints, health: { kind: "off" }, tls: { caFile: authority.caFile } } } },
    });
    for (const [target, end] of [["/whole", "complete"], ["/cut", "truncated"]] as const) {
      const answer = await ask(weir.url, { target });
      assertEquals([answer.status, answer.ended], [200, end === "complete" ? "clean" : "cut"], target);
      await weir.line(new RegExp(`"target":"${target}".*"end":"${end}"`));
    }
    await new Promise((resolve) => server.close(resolve));
  },
  options,
);

scenario("an origin that never answers the handshake is given up in time", async (props) => {
  // It waits for the end of a request head, which a TLS hello does not have.
  const silent = await props.origin();
  const endpoints = [silent.url.replace("http:", "https:")];
  const given = { endpoints, health: { kind: "off" }, retry: { attemptsMax: 1 } };
  const timeouts = { tlsHandshakeMs: 100 };
  const weir = await props.weir({
    config: {
      upstreams: {
        soon: { ...given, timeouts },
        late: { ...given, timeouts: { tlsHandshakeMs: 86_400_000 } },
      },
      routes: [{ match: { path: "/soon" }, upstream: "soon" }, {
        match: { path: "/late" },
        upstream: "late",
        timeouts,
      }],
    },
  });
  for (const target of ["/soon", "/late"]) {
    const answer = await ask(weir.url, { target });
    assertEquals(answer.status, 504, target);
    assertMatch(answer.header("proxy-status") ?? "", /error=connection_timeout/, target);
  }
  const failures = (labels: Record<string, string>) => weir.metric("weir_endpoint_failures_total", labels);
  assertEquals([await failures({}), await failures({ reason: "connect" })], [2, 2]);
});

Deno.test("a start with files that are no certificates is refused with the reason", async () => {
  await using folder = await TemporaryFolder.make();
  const caFile = await folder.write("ca.pem", "not a certificate\n");
  const upstreams = { secure: { endpoints: ["https://127.0.0.1:1"], tls: { caFile } } };
  const config = JSON.stringify({ admin: { port: 0 }, listen: { port: 0 }, upstreams });
  const path = await folder.write("weir.yaml", config);
  const { code, stderr } = await runWeir(["run", "--config", path, "--host", "127.0.0.1"], {}, path);
  assertEquals(code, 64, stderr);
  const reason = "which cannot be used: the certificate file holds no PEM certificate";
  assert(stderr.includes(`upstreams.secure.tls.caFile is ${caFile}, ${reason}`), stderr);
});

Deno.test(
  "SIGHUP takes over what the files of an upstream's TLS hold by now, and says so",
  options,
  async () => {
    await using authority = await Authority.create();
    await using other = await Authority.create();
    const upstreams = { a: { endpoints: ["https://127.0.0.1:9"], tls: { caFile: authority.caFile } } };
    await using weir = await startWeir({ config: { upstreams } });
    await Deno.writeTextFile(authority.caFile, other.cert);
    weir.signal("SIGHUP");
    assertStringIncludes(
      await weir.line(/"event":"reload"/),
      "SIGHUP: applied: what the files of upstreams.a.tls hold changed",
    );
  },
);
