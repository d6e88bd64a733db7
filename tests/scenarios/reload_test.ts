// The configuration changes while requests flow: what is good is applied, what is bad changes nothing.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { ScriptedDns } from "../support/scripted_dns.ts";
import { ask, requestText } from "../support/raw_client.ts";
import { Gate, reply, scene, wait } from "../support/raw_origin.ts";
import { rewrite } from "../support/reload.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";
import { launchWeir, startWeir } from "../support/weir.ts";

const groupOf = (endpoints: readonly string[], more: Record<string, unknown> = {}) => ({
  upstreams: { default: { endpoints, ...more } },
});

scenario("a file that changes is applied, and the log tells the difference in words", async (props) => {
  const [a, b] = [
    await props.origin(reply(200, { body: "a" })),
    await props.origin(reply(200, { body: "b" })),
  ];
  const weir = await props.weir({ config: groupOf([a.url]) });
  const words = await rewrite(weir, { ...groupOf([b.url]), admin: { port: 9 } });
  assertStringIncludes(words, `upstreams.default.endpoints: added ${b.url}`);
  assertStringIncludes(words, `upstreams.default.endpoints: removed ${a.url}`);
  await until("the new endpoint serves", async () => (await ask(weir.url)).text === "b");
  assertEquals(await weir.metric("weir_config_last_reload_success"), 1);
});

scenario("what takes a restart is said and left as it was", async (props) => {
  const origin = await props.origin(reply(200));
  const config = groupOf([origin.url]);
  const weir = await props.weir({ config });
  const words = await rewrite(weir, { ...config, workers: 2, listen: { readyPath: "/ready" } });
  assertStringIncludes(words, 'takes a restart: listen.readyPath added: "/ready"');
  assertEquals((await ask(weir.url)).status, 200);
});

scenario("a bad file changes nothing, and log, metrics and status say why", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.weir({ config: groupOf([origin.url]) });
  const version = await weir.metric("weir_config_version");
  const words = await rewrite(weir, groupOf([origin.url], { panicPercent: 500 }));
  assertStringIncludes(words, "refused, the old configuration stays: upstreams.default.panicPercent is 500");
  assertEquals(await weir.metric("weir_config_last_reload_success"), 0);
  assertEquals(await weir.metric("weir_config_version"), version);
  const { config } = JSON.parse(await weir.admin("/status"));
  assertStringIncludes(config.lastReload.findings[0], "panicPercent is 500");
  assertEquals((await ask(weir.url)).status, 200);
  await rewrite(weir, groupOf([origin.url], { panicPercent: 40 }));
  assertEquals(await weir.metric("weir_config_last_reload_success"), 1);
});

scenario("SIGHUP reloads a file that did not change", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.weir({ config: groupOf([origin.url]) });
  weir.signal("SIGHUP");
  assertStringIncludes(await weir.line(/"event":"reload"/), "SIGHUP: applied: nothing changed");
});

Deno.test("SIGHUP leaves a start with nothing configured its sample origins", async () => {
  await using weir = await startWeir({ command: "start" });
  weir.signal("SIGHUP");
  assertStringIncludes(await weir.line(/"event":"reload"/), "SIGHUP: applied: nothing changed");
  assertEquals((await ask(weir.url)).status, 200);
});

Deno.test("a start with a file that names no upstreams is refused, and shows no sample origins", async () => {
  await using weir = await launchWeir({ command: "start", config: { accessLog: "off" } });
  assertEquals((await weir.exit).code, 64);
});

Deno.test("SIGHUP during the start reloads after it", async () => {
  await using dns = new ScriptedDns();
  dns.answers.set("app.test", "silence");
  const discovery = { nameServer: `127.0.0.1:${dns.port}`, timeoutMs: 2_000 };
  await using weir = await launchWeir({ config: groupOf(["dns+http://app.test:80"], { discovery }) });
  await dns.questions(1);
  weir.signal("SIGHUP");
  dns.answers.set("app.test", "nxdomain");
  assertStringIncludes(await weir.line(/"event":"reload"/), "SIGHUP: applied: nothing changed");
});

scenario("a request in flight, and a kept connection, outlive a reload", async (props) => {
  const gate = new Gate();
  const origin = await props.origin([
    reply(200),
    scene(wait(gate), reply(200, { body: "late" })),
    reply(200),
  ]);
  const weir = await props.weir({ config: groupOf([origin.url], { health: { kind: "off" } }) });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/"));
  await client.response();
  await client.send(requestText("GET", "/"));
  await origin.request(2);
  await rewrite(weir, groupOf([origin.url], { health: { kind: "off" }, panicPercent: 40 }));
  gate.open();
  assertEquals((await client.response()).text, "late");
  await client.send(requestText("GET", "/"));
  await client.response();
  assertEquals(await weir.metric("weir_endpoint_connections_opened_total"), 1);
  assertEquals(await weir.metric("weir_endpoint_attempts_total"), 3);
});
