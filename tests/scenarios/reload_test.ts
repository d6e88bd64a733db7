// The configuration changes while requests flow: what is good is applied, what is bad changes nothing.

import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { countingOrigin } from "../support/counting_origin.ts";
import { load } from "../support/load.ts";
import { ask, requestText } from "../support/raw_client.ts";
import { Gate, reply, scene, wait } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";
import type { RunningWeir } from "../support/weir.ts";

/** A long run reloads more often, and looks at memory once the heaps have found their size. */
const FULL = Deno.env.get("WEIR_TEST_FULL") === "1";
const RELOADS = FULL ? 100 : 20;
const GROWTH_BYTES_MAX = 32 * 1024 ** 2;

const groupOf = (endpoints: readonly string[], more: Record<string, unknown> = {}) => ({
  upstreams: { default: { endpoints, ...more } },
});

/** Replaces the file as an editor does, and waits for what Weir says of it. */
async function rewrite(weir: RunningWeir, config: Record<string, unknown> | string): Promise<string> {
  const said = () => weir.stdout.filter((line) => line.includes('"event":"reload"'));
  const before = said().length;
  const text = typeof config === "string" ? config : JSON.stringify(config);
  await Deno.writeTextFile(`${weir.configPath}.new`, text);
  await Deno.rename(`${weir.configPath}.new`, weir.configPath!);
  await until("the reload is told", () => said().length > before);
  return JSON.parse(said().at(-1)!).text;
}

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

scenario(
  `${RELOADS} reloads under load, every tenth bad: no request fails, nothing is forgotten`,
  async (props) => {
    await using stack = new AsyncDisposableStack();
    const origins = [1, 2, 3].map(() => stack.use(countingOrigin()));
    const endpoints = origins.map(({ url }) => url);
    const weir = await props.weir({ config: groupOf(endpoints), workers: 2, env: { ACCESS_LOG: "off" } });
    let reloading = true;
    const loads = (async () => {
      let answered = 0;
      while (reloading) {
        const { answers, errors } = await load(weir.url, { requests: 200, connections: 8 });
        assertEquals([[...answers.keys()], errors], [[200], []]);
        answered += 200;
      }
      return answered;
    })();
    let warmBytes = 0;
    for (let n = 1; n <= RELOADS; n++) {
      const bad = n % 10 === 0;
      // The third endpoint comes and goes.
      const words = await rewrite(
        weir,
        groupOf(n % 2 === 0 ? endpoints : endpoints.slice(0, 2), { panicPercent: bad ? 1_000 + n : n % 50 }),
      );
      assertEquals(words.includes("refused"), bad, words);
      if (n === Math.floor(RELOADS / 2)) warmBytes = await weir.residentBytes();
    }
    reloading = false;
    const answered = await loads;
    assertEquals(await weir.metric("weir_requests_total"), answered);
    assertEquals(await weir.metric("weir_client_gone_total"), 0);
    const counted = await weir.metric("weir_endpoint_attempts_total", { endpoint: endpoints[0]! });
    assert(counted >= answered / 3, `counts of an endpoint that stayed go on: ${counted} of ${answered}`);
    if (FULL) assertLess(await weir.residentBytes() - warmBytes, GROWTH_BYTES_MAX);
  },
);
