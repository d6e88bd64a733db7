// The container image, built and run: as user 65532, on a read-only root, without capabilities.

import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { freePort } from "../support/free_port.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { type Container, Image, whyNoImages } from "./support/image.ts";
import { manifestsIn, pathOf } from "./support/manifests.ts";
import { ScriptedApi, slice } from "./support/scripted_api.ts";
import { until } from "../support/until.ts";

const whyNot = await whyNoImages();
if (whyNot !== null) console.log(`ignoring the test of the container image: ${whyNot}`);

async function status(url: string): Promise<number> {
  try {
    const response = await fetch(url, { headers: { connection: "close" } });
    await response.body?.cancel();
    return response.status;
  } catch {
    return 0;
  }
}

/** A container on a busy machine. */
const START_MS_MAX = 30_000;
const quietly = { hostname: "127.0.0.1", port: 0, onListen: () => {} };

const configFor = (endpoint: string, more = "") =>
  `upstreams: { default: { endpoints: ["${endpoint}"]${more} } }\ndrain: { delayMs: 300, deadlineMs: 5000 }\n`;

/** Turn by turn the ten groups take their turns, and in each another seventh of the pods is not ready. */
function sliceOfHundred(turn: number): Record<string, unknown> {
  const group = turn % 10;
  const pods = Array.from({ length: 100 }, (_, pod) => [
    `127.1.${group}.${pod + 1}`,
    (turn + pod) % 7 === 0 ? "notReady" : "ready",
  ]);
  return slice(`s${group}`, Object.fromEntries(pods), String(turn + 10));
}

// deno-lint-ignore no-explicit-any -- slices are read like the JSON that they are
function readyAddresses(slices: readonly any[]): string[] {
  return slices.flatMap(({ endpoints }) => endpoints).filter(({ conditions }) => conditions.ready).map((
    { addresses },
  ) => addresses[0]);
}

Deno.test({ name: "the container image", ignore: whyNot !== null }, async (t) => {
  await using image = await Image.build(pathOf(""));
  const port = freePort();
  const adminPort = freePort();
  const admin = `http://127.0.0.1:${adminPort}`;
  const env = { PORT: String(port), ADMIN_PORT: String(adminPort), WORKERS: "1" };

  await t.step("adds less than 16 MB to its base and holds no tests", () => {
    assertLess(image.addedBytes, 16_000_000);
    const names = [...Deno.readDirSync(`${image.root}/weir`)].map(({ name }) => name).sort();
    assertEquals(names, ["LICENSE", "deno.json", "deno.lock", "src", "types"]);
    assertEquals(image.config.Labels["org.opencontainers.image.title"], "Weir");
    assertEquals(image.config.StopSignal, "SIGTERM");
  });

  await t.step("refuses to start without upstreams, with exit code 64", async () => {
    const { code, output } = await image.start({ env }).ended;
    assertEquals(code, 64, output);
    assertStringIncludes(output, "UPSTREAMS");
  });

  /** Runs Weir with a configuration and other files mounted, until it has drained. */
  async function running(
    mounts: Record<string, Record<string, string>>,
    more: Record<string, string>,
    play: (weir: Container) => Promise<void>,
  ): Promise<void> {
    await using folders = new AsyncDisposableStack();
    const mounted: Record<string, string> = {};
    for (const [inside, files] of Object.entries(mounts)) {
      const folder = folders.use(await TemporaryFolder.make());
      mounted[inside] = folder.path;
      await Deno.chmod(folder.path, 0o755);
      for (const [name, text] of Object.entries(files)) await folder.write(name, text);
    }
    const weir = image.start({ env: { ...env, ...more, CONFIG: "/etc/weir/weir.yaml" }, mounts: mounted });
    let failure: unknown;
    try {
      await until(
        "the container is ready",
        async () => await status(`${admin}/readyz`) === 200,
        START_MS_MAX,
      );
      await play(weir);
    } catch (cause) {
      failure = cause;
    }
    weir.signal("SIGTERM");
    const { code, output } = await weir.ended;
    if (failure !== undefined) throw new Error(`with this output: ${output}`, { cause: failure });
    assertEquals(code, 0, output);
    assert(!/NotCapable|Read-only file system/.test(output), output);
  }

  await t.step(
    "serves from a mounted configuration, answers probes, drains on SIGTERM and exits 0",
    async () => {
      await using origin = Deno.serve(quietly, () => new Response("origin"));
      const health = async () => {
        const command = image.config.Healthcheck.Test.slice(1);
        return (await image.start({ command, env }).ended).code;
      };
      await running(
        { "/etc/weir": { "weir.yaml": configFor(`http://127.0.0.1:${origin.addr.port}`) } },
        {},
        async (weir) => {
          for (const probe of ["livez", "startupz", "metrics"]) {
            assertEquals(await status(`${admin}/${probe}`), 200, probe);
          }
          assertEquals(await status(`http://127.0.0.1:${port}/`), 200);
          assertEquals(await health(), 0);
          const { Uid, Gid, CapEff, CapPrm, NoNewPrivs } = weir.rights();
          assertEquals([Uid, Gid], Array(2).fill("65532\t65532\t65532\t65532"));
          assertEquals([CapEff, CapPrm, NoNewPrivs], ["0000000000000000", "0000000000000000", "1"]);
        },
      );
      assertEquals(await health(), 1);
    },
  );

  await t.step("follows the pods of a Service with the service account that the kubelet mounts", async () => {
    await using origin = Deno.serve(quietly, () => new Response("origin"));
    await using api = new ScriptedApi();
    const mounts = {
      "/etc/weir": { "weir.yaml": configFor("k8s://api:http") },
      "/var/run/secrets/kubernetes.io/serviceaccount": api.files,
    };
    const ports = [{ name: "http", port: origin.addr.port }];
    const watched = api.listThenWatch("1", [{ ...slice("s1", { "127.0.0.1": "ready" }), ports }]);
    await running(mounts, api.env, async () => {
      const watch = await watched;
      assertEquals(watch.path, "/apis/discovery.k8s.io/v1/namespaces/own/endpointslices");
      assertEquals(await status(`http://127.0.0.1:${port}/`), 200);
      watch.event("MODIFIED", { ...slice("s1", { "127.0.0.1": "notReady" }, "2"), ports });
      await until("the endpoint is gone", async () => await status(`http://127.0.0.1:${port}/`) === 503);
      watch.event("MODIFIED", { ...slice("s1", { "127.0.0.1": "ready" }, "3"), ports });
      await until("the endpoint is back", async () => await status(`http://127.0.0.1:${port}/`) === 200);
    });
  });

  await t.step(
    "ends on the last state of 1,000 endpoints that change 300 times, and no request fails",
    async () => {
      // One origin is all of 127.0.0.0/8.
      await using origin = Deno.serve({ ...quietly, hostname: "0.0.0.0" }, () => new Response("origin"));
      await using api = new ScriptedApi();
      const ports = [{ name: "http", port: origin.addr.port }];
      const change = (turn: number) => ({ ...sliceOfHundred(turn), ports });
      const watched = api.listThenWatch("1", Array.from({ length: 10 }, (_, group) => change(group)));
      const mounts = {
        "/etc/weir": { "weir.yaml": configFor("k8s://api:http", ", health: { kind: off }") },
        "/var/run/secrets/kubernetes.io/serviceaccount": api.files,
      };
      await running(mounts, api.env, async () => {
        const watch = await watched;
        const answers: Record<number, number> = {};
        let turn = 10;
        const client = async () => {
          while (turn < 310) {
            const code = await status(`http://127.0.0.1:${port}/`);
            answers[code] = (answers[code] ?? 0) + 1;
            watch.event("MODIFIED", change(turn++));
          }
        };
        await Promise.all([client(), client(), client(), client()]);
        assertEquals(Object.keys(answers), ["200"]);
        const last = Array.from({ length: 10 }, (_, back) => change(turn - 1 - back));
        const expected = readyAddresses(last).map((address) => `http://${address}:${origin.addr.port}`)
          .sort();
        await until("the endpoints are the last ones", async () => {
          const { upstreams: [upstream] } = await (await fetch(`${admin}/status`)).json();
          const serving = upstream.endpoints.filter(({ state }: { state: string }) => state === "serving");
          return serving.map(({ id }: { id: string }) => id).sort().join() === expected.join();
        });
      });
    },
  );

  await t.step("holds the sample origin that the demo's pods run", async () => {
    const [deployment] = manifestsIn("k8s/demo/").get("deployment.yaml") ?? [];
    const command: string[] = deployment.spec.template.spec.containers[0].command;
    const samplePort = freePort();
    const sample = image.start({
      command: command.map((word) => word.replace("--port=8080", `--port=${samplePort}`)),
    });
    try {
      await until(
        "the sample answers",
        async () => await status(`http://127.0.0.1:${samplePort}/ping`) === 200,
        START_MS_MAX,
      );
    } finally {
      sample.signal("SIGTERM");
    }
    const { code, output } = await sample.ended;
    assertEquals(code, 0, output);
  });
});
