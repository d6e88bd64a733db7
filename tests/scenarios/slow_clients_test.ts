// A thousand clients that are slow on purpose (Debian's slowhttptest): others are served meanwhile, memory stays
// bounded, and the slow ones are told or cut. Deno.serve has no timeouts to do it with (docs/listeners.md).

import { assertEquals, assertLess } from "@std/assert";
import { ask } from "../support/raw_client.ts";
import { head, reply, replyRaw, scene, type Step } from "../support/raw_origin.ts";
import { ALL_BUT_SERVE, scenario } from "../support/scenario.ts";
import { needs, requireTool } from "../support/tools.ts";
import { until } from "../support/until.ts";

const CONNECTIONS = 1_000;
const LET_GO_MS_MAX = 40_000;
/** Who is gone by then has not left by himself. */
const ATTACK_SECONDS = 80;
const GROWTH_BYTES_MAX = 192 * 1_048_576;
const LARGE = 8_000_000;

const options = { ...needs("slowhttptest"), listeners: ALL_BUT_SERVE };
/** Short, so that the story is; a quick client on a busy machine must still be quicker. */
const listen = { headReadMs: 3_000, keepAliveIdleMs: 3_000, bodyBytesPerSecondMin: 240 };

const large = scene(head(200, [["Content-Length", String(LARGE)]]), replyRaw("x".repeat(LARGE)));
const attacks: readonly [what: string, args: readonly string[], connections: number, origin: Step][] = [
  ["heads", ["-H", "-i", "1", "-x", "8"], CONNECTIONS, reply(200)],
  ["bodies", ["-B", "-i", "1", "-x", "8", "-s", "100000"], CONNECTIONS, reply(200)],
  // Each holds megabytes in the buffers of two systems: fewer of them make the same point.
  ["reading", ["-X", "-w", "256", "-y", "512", "-z", "8", "-n", "5"], CONNECTIONS / 10, large],
];

for (const [what, args, connections, step] of attacks) {
  scenario(`${connections} clients with slow ${what} do not hold up others`, async (props) => {
    const slow = await props.origin(step);
    const quick = await props.origin(reply(200, { body: "quick" }));
    const upstreams = { slow: { endpoints: [slow.url] }, quick: { endpoints: [quick.url] } };
    const routes = [{ match: { path: "/quick" }, upstream: "quick" }, { match: {}, upstream: "slow" }];
    const weir = await props.weir({ config: { listen, upstreams, routes }, env: { ACCESS_LOG: "off" } });
    const served = async () => assertEquals((await ask(weir.url, { target: "/quick" })).text, "quick");
    await served();
    const [bytesBefore, filesBefore] = [await weir.residentBytes(), await weir.openFiles()];

    await using _attack = slowHttpTest([
      ...args,
      ...["-c", String(connections), "-r", String(connections), "-u", weir.url],
    ]);
    let [bytesMost, answers] = [0, 0];
    await until("they are all let go", async () => {
      await served();
      answers++;
      bytesMost = Math.max(bytesMost, await weir.residentBytes());
      // By Weir's own count: the first may be gone before the last have come.
      const attackers = await weir.metric("weir_connections_total") - answers - 1;
      return attackers > connections / 2 && await weir.openFiles() < filesBefore + connections / 20;
    }, LET_GO_MS_MAX);
    const growth = bytesMost - bytesBefore;
    console.log(`${answers} served meanwhile, ${Math.round(growth / 1_048_576)} MB more`);
    assertLess(growth, GROWTH_BYTES_MAX);
    await until(
      "nothing of theirs is in flight",
      async () => await weir.metric("weir_requests_in_flight") === 0,
    );
  }, options);
}

function slowHttpTest(args: readonly string[]): AsyncDisposable {
  const child = new Deno.Command(requireTool("slowhttptest"), {
    args: [...args, "-l", String(ATTACK_SECONDS)],
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    async [Symbol.asyncDispose]() {
      // It ends by itself when it has no connections left.
      const timer = setTimeout(() => child.kill("SIGKILL"), 1_000);
      await child.status;
      clearTimeout(timer);
    },
  };
}
