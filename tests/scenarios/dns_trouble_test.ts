// Addresses from DNS through the whole of Weir: whatever becomes of the name server, requests go on over the last
// good addresses.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type DnsAnswer, ScriptedDns } from "../support/scripted_dns.ts";
import { load } from "../support/load.ts";
import { parseMetrics, sumOf } from "../support/metrics.ts";
import { ask } from "../support/raw_client.ts";
import { reply, startOrigin } from "../support/raw_origin.ts";
import { type Props, scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";
import { launchWeir, type RunningWeir } from "../support/weir.ts";

const NAME = "app.test";
const NO_ADDRESS = "no address: the name does not exist, has none, or its resolver fails";
const IPV6 = hasIpv6();

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    console.log("ignoring what needs IPv6: this machine has none on its loopback interface");
    return false;
  }
}

/** Asks often, and gives up soon on a name server that is silent. */
const HASTY = { intervalMs: 100, timeoutMs: 300 };
/** For an answer that takes the name server, which is busy with the test, a while. */
const PATIENT = { intervalMs: 1_000, timeoutMs: 10_000 };

/** An origin on every address of the loopback interface, a name server, and a Weir that asks it. */
async function stage(props: Props, stack: AsyncDisposableStack, first: DnsAnswer, pace = HASTY) {
  const origin = Deno.serve(
    { hostname: IPV6 ? "::" : "0.0.0.0", port: 0, onListen: () => {} },
    () => new Response("ok"),
  );
  stack.defer(() => origin.shutdown());
  const dns = stack.use(new ScriptedDns());
  dns.answers.set(NAME, first);
  const { port } = origin.addr;
  const weir = await props.weir({
    config: {
      upstreams: {
        default: {
          endpoints: [`dns+http://${NAME}:${port}`],
          discovery: { ...pace, nameServer: `127.0.0.1:${dns.port}` },
        },
      },
    },
  });
  return { dns, weir, port };
}

/** Every address that answered has been asked for once more since. */
const askedAgain = (dns: ScriptedDns) => dns.questions(dns.asked.length + 4);

/** Endpoints known, and those that passed a check. */
async function endpoints(weir: RunningWeir): Promise<readonly [number, number]> {
  const [upstream] = JSON.parse(await weir.admin("/status")).upstreams;
  const serving = upstream.endpoints.filter(({ state }: { state: string }) => state === "serving");
  return [upstream.endpoints.length, serving.length];
}

scenario(
  "requests go on while DNS answers wrongly, or not at all, and follow it when it is back",
  async (props) => {
    await using stack = new AsyncDisposableStack();
    const { dns, weir, port } = await stage(props, stack, { a: ["127.0.0.2"] });
    // Ready does not mean that the first answer came in time, nor a check of it.
    await until("the first address serves", async () => (await endpoints(weir))[1] === 1);
    for (const trouble of ["nxdomain", "servfail", "silence", { a: [] }] as const) {
      dns.answers.set(NAME, trouble);
      await askedAgain(dns);
      const { answers, errors } = await load(weir.url, { requests: 20, connections: 2 });
      assertEquals([answers.get(200), errors], [20, []], `while DNS says ${JSON.stringify(trouble)}`);
      assertEquals((await endpoints(weir))[0], 1);
    }
    dns.answers.set(NAME, { a: ["127.0.0.3"] });
    await until("the new address serves", async () => {
      assertEquals((await ask(weir.url)).status, 200);
      return await weir.metric("weir_endpoint_attempts_total", { endpoint: `http://127.0.0.3:${port}` }) > 0;
    });
  },
);

scenario("an operator is told that DNS fails, since when, and when it is over", async (props) => {
  await using stack = new AsyncDisposableStack();
  const { dns, weir, port } = await stage(props, stack, { a: ["127.0.0.2"] });
  const source = `dns+http://${NAME}:${port}`;
  const status = async () => JSON.parse(await weir.admin("/status"));
  const metric = async (name: string) =>
    sumOf(parseMetrics(await weir.admin("/metrics")), name, { upstream: "default", source });
  await until("all is well", async () => (await status()).verdict.level === "ok");

  dns.answers.set(NAME, "silence");
  const problem = "no answer within 300 ms";
  await until("it is told that DNS fails", async () => {
    const { upstreams: [{ discovery: [told] }] } = await status();
    return told.problem === problem;
  });
  const { verdict, upstreams: [{ discovery }] } = await status();
  const { answeredAt, failingSince } = discovery[0];
  assertEquals(discovery, [{ source, endpoints: 1, answeredAt, problem, failingSince }]);
  assert(failingSince > answeredAt, "it fails since after its last answer");
  assertEquals(verdict.headline, "Discovery of default fails");
  const since = new Date(failingSince).toISOString().replace(/\.\d+/, "");
  assertEquals(verdict.notes, [
    `${source} since ${since}: ${problem}; 1 endpoint of its last answer stays in use`,
  ]);
  await weir.line(/: no answer within 300 ms; still in use: 1 endpoint"/);
  await askedAgain(dns);
  assertEquals((await status()).upstreams[0].discovery, discovery, "it goes on failing since then");
  assertEquals(await metric("weir_discovery_failing"), 1);
  assertEquals(await metric("weir_discovery_last_answer_timestamp_seconds"), answeredAt / 1_000);

  dns.answers.set(NAME, { a: ["127.0.0.2", "127.0.0.3"] });
  await until("it is told that DNS answers", async () => {
    const { verdict, upstreams: [{ discovery: [told] }] } = await status();
    return verdict.level === "ok" && told.endpoints === 2 && told.problem === null &&
      told.failingSince === null && told.answeredAt > failingSince;
  });
  await weir.line(/ answers again: 2 endpoints"/);
  await until("and to Prometheus", async () => await metric("weir_discovery_failing") === 0);
  assert((await metric("weir_discovery_last_answer_timestamp_seconds"))! > failingSince / 1_000);
});

scenario("500 addresses are 500 endpoints", async (props) => {
  await using stack = new AsyncDisposableStack();
  const addresses = Array.from({ length: 500 }, (_, i) => `127.0.${1 + (i >> 8)}.${i & 0xff}`);
  const { weir } = await stage(props, stack, { a: addresses }, PATIENT);
  // An endpoint takes no traffic before its first check has passed.
  await until(
    "500 endpoints serve",
    async () => (await endpoints(weir)).every((count) => count === 500),
    40_000,
  );
  const { answers, errors } = await load(weir.url, { requests: 1_000, connections: 10 });
  assertEquals([answers.get(200), errors], [1_000, []]);
  const samples = (await weir.admin("/metrics")).matchAll(/^weir_endpoint_attempts_total\{.*\} (\d+)$/gm);
  const used = [...samples].filter(([, count]) => Number(count) > 0).length;
  assert(used >= 400, `only ${used} of 500 endpoints took a request`);
});

scenario("an IPv6 address serves as any other", async (props) => {
  await using stack = new AsyncDisposableStack();
  const { weir, port } = await stage(props, stack, { aaaa: ["::1"] });
  await until("it is known", async () => (await ask(weir.url)).status === 200);
  assert(await weir.metric("weir_endpoint_attempts_total", { endpoint: `http://[::1]:${port}` }) > 0);
}, { ignore: !IPV6 });

scenario("a Weir that starts while DNS is silent is ready once it has addresses", async (props) => {
  await using origin = await startOrigin(reply(200));
  await using dns = new ScriptedDns();
  dns.answers.set(NAME, "silence");
  await using weir = await launchWeir({
    listener: props.listener,
    config: {
      upstreams: {
        default: {
          endpoints: [`dns+http://${NAME}:${new URL(origin.url).port}`],
          discovery: { ...HASTY, nameServer: `127.0.0.1:${dns.port}` },
          health: { kind: "off" },
        },
      },
    },
  });
  // More than one look is in vain.
  await dns.questions(5);
  dns.answers.set(NAME, { a: ["127.0.0.1"] });
  await weir.ready();
  assertEquals((await ask(weir.url)).status, 200);
});

scenario("a Weir that starts without DNS answers 503 until it has addresses", async (props) => {
  await using stack = new AsyncDisposableStack();
  const { dns, weir, port } = await stage(props, stack, "nxdomain");
  const refused = await ask(weir.url);
  assertEquals([refused.status, refused.header("retry-after")], [503, "1"]);
  const explained = await weir.admin("/explain?path=/");
  assert(
    explained.endsWith(
      `no endpoint may take a request: 503; discovery fails: dns+http://${NAME}:${port}: ${NO_ADDRESS}\n`,
    ),
    explained,
  );
  const metrics = await weir.admin("/metrics");
  const lastAnswer = "\nweir_discovery_last_answer_timestamp_seconds{";
  const labels = `{upstream="default",source="dns+http://${NAME}:${port}"}`;
  assertStringIncludes(metrics, `\nweir_discovery_failing${labels} 1\n`);
  assert(!metrics.includes(lastAnswer), "there was no answer");
  dns.answers.set(NAME, { a: ["127.0.0.2"] });
  await until("it serves", async () => (await ask(weir.url)).status === 200);
  assertStringIncludes(await weir.admin("/metrics"), lastAnswer);
});
