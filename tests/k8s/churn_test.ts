// What a Service costs whose 1,000 pods never come to rest: with WEIR_TEST_FULL=1, as it takes a minute and a core.
//
// The built image serves a steady load from wrk while the API server tells it of 100 changes a second, in turns
// with spells in which it tells nothing. Requests that fail are counted by wrk, those that were served by nginx.

import { assertEquals, assertLessOrEqual } from "@std/assert";
import { median } from "../../bench/statistics.ts";
import { freePort } from "../support/free_port.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { needs, requireTool } from "../support/tools.ts";
import { until } from "../support/until.ts";
import { ChurningService } from "./support/churn.ts";
import { cpuOf } from "./support/cpu.ts";
import { Image, whyNoImages } from "./support/image.ts";
import { pathOf } from "./support/manifests.ts";
import { ScriptedApi } from "./support/scripted_api.ts";

const FULL = Deno.env.get("WEIR_TEST_FULL") === "1";
const ignore = !FULL || await whyNoImages() !== null || needs("wrk", "nginx").ignore;
/** Thirty seconds of each. */
const SPELLS = 6;
const SPELL_MS = 5_000;
/** Longer than a slow start, which begins when an endpoint joins others that have served as long. */
const WARM_UP_MS = 11_000;
const [PORT, ADMIN_PORT, ORIGIN_PORT, COUNT_PORT] = [freePort(), freePort(), freePort(), freePort()];

/** Per second and per request, in one spell. */
interface Spell {
  readonly servingMicrosPerRequest: number;
  readonly mainMsPerSecond: number;
  readonly microsPerRequest: number;
}

Deno.test(
  { name: "1,000 endpoints that change 100 times a second cost a tenth more at most", ignore },
  async () => {
    await using stack = new AsyncDisposableStack();
    const { path: directory } = stack.use(await TemporaryFolder.make());
    await Deno.chmod(directory, 0o755);
    stack.use(await startNginx(directory));
    const service = new ChurningService(ORIGIN_PORT);
    const api = stack.use(new ScriptedApi());
    const watched = api.listThenWatch("1", service.slices());
    const image = stack.use(await Image.build(pathOf("")));
    const weir = image.start({ ...await mounted(directory, api), env: { ...ENV, ...api.env } });
    stack.defer(async () => {
      weir.signal("SIGTERM");
      const { code, output } = await weir.ended;
      assertEquals(code, 0, output);
    });
    const admin = `http://127.0.0.1:${ADMIN_PORT}`;
    await until("the container is ready", () => fetch(`${admin}/readyz`).then(ok, () => false));
    const watch = await watched;

    const seconds = Math.ceil((WARM_UP_MS + 2 * SPELLS * SPELL_MS) / 1_000) + 2;
    const wrk = new Deno.Command(requireTool("wrk"), {
      args: ["-t1", "-c32", `-d${seconds}s`, "--timeout=10s", `http://127.0.0.1:${PORT}/`],
      stdout: "piped",
    }).output();
    await pass(WARM_UP_MS);
    const [calm, churning]: [Spell[], Spell[]] = [[], []];
    for (let spell = 0; spell < SPELLS; spell++) {
      calm.push(await measure(weir.pid));
      service.churn(watch);
      churning.push(await measure(weir.pid));
      service.calmDown();
    }
    const said = new TextDecoder().decode((await wrk).stdout);
    assertEquals(said.match(/Non-2xx.*|Socket errors.*/g), null, said);

    const serving = of(churning, "servingMicrosPerRequest") / of(calm, "servingMicrosPerRequest");
    const main = of(churning, "mainMsPerSecond") - of(calm, "mainMsPerSecond");
    console.log(
      `${service.changes} changes; CPU per request ${of(calm, "microsPerRequest").toFixed(1)} µs calm, ` +
        `${of(churning, "microsPerRequest").toFixed(1)} µs churning; of the serving threads alone x ${
          serving.toFixed(3)
        }; ` +
        `the main thread takes ${main.toFixed(0)} ms a second more`,
    );
    // Where others use the cores too, fewer requests share the main thread's work than could: it is set against what one
    // core would serve, as in the benchmarks.
    assertLessOrEqual(serving + main / 1_000, 1.10);

    await until("the endpoints are the last ones", async () => {
      const { upstreams: [upstream] } = await (await fetch(`${admin}/status`)).json();
      const ids = upstream.endpoints.filter(({ state }: { state: string }) => state === "serving")
        .map(({ id }: { id: string }) => id).sort();
      return ids.join() === service.ready().join();
    });
  },
);

const ENV = { PORT: String(PORT), ADMIN_PORT: String(ADMIN_PORT), WORKERS: "1", ACCESS_LOG: "off" };

async function ok(response: Response): Promise<boolean> {
  await response.body?.cancel();
  return response.ok;
}

/** The configuration and the service account, where the image looks for them. */
async function mounted(directory: string, api: ScriptedApi) {
  const files = {
    "weir.yaml": 'upstreams: { default: { endpoints: ["k8s://api:http"], health: { kind: off } } }\n',
    ...api.files,
  };
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${directory}/${name}`, text);
  const mounts = { "/etc/weir": directory, "/var/run/secrets/kubernetes.io/serviceaccount": directory };
  return { mounts, args: ["run", "--config", "/etc/weir/weir.yaml"] };
}

/** What Weir used in one spell. Measuring takes its time. */
async function measure(pid: number): Promise<Spell> {
  const [before, cpuBefore, began] = [await requestsServed(), cpuOf(pid), performance.now()];
  await pass(SPELL_MS);
  const [cpu, took] = [cpuOf(pid), performance.now() - began];
  const requests = await requestsServed() - before;
  const [servingMs, mainMs] = [cpu.servingMs - cpuBefore.servingMs, cpu.mainMs - cpuBefore.mainMs];
  return {
    servingMicrosPerRequest: servingMs * 1_000 / requests,
    mainMsPerSecond: mainMs * 1_000 / took,
    microsPerRequest: (servingMs + mainMs) * 1_000 / requests,
  };
}

const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const of = (spells: readonly Spell[], figure: keyof Spell) => median(spells.map((spell) => spell[figure]));

/** One nginx answers on all of 127.0.0.0/8, and counts. */
async function startNginx(directory: string): Promise<AsyncDisposable> {
  const config = `daemon off; pid ${directory}/pid; error_log stderr crit;
    events { worker_connections 4096; }
    http {
      access_log off; keepalive_requests 100000000; keepalive_timeout 1h;
      server { listen 127.0.0.1:${COUNT_PORT}; location / { stub_status; } }
      server { listen 0.0.0.0:${ORIGIN_PORT}; location / { return 200 "origin"; } }
    }`;
  await Deno.writeTextFile(`${directory}/nginx.conf`, config);
  const nginx = new Deno.Command(requireTool("nginx"), { args: ["-c", `${directory}/nginx.conf`] }).spawn();
  await until("nginx answers", () => requestsServed().then(() => true, () => false));
  return {
    async [Symbol.asyncDispose]() {
      nginx.kill("SIGTERM");
      await nginx.status;
    },
  };
}

async function requestsServed(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${COUNT_PORT}/`)).text();
  return Number(/^ \d+ \d+ (\d+)/m.exec(text)?.[1]);
}
