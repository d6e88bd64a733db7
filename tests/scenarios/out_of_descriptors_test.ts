// More clients than the process may have file descriptors: Weir lives, and serves whoever it has room for.

import { assertEquals } from "@std/assert";
import { ask, RawClient } from "../support/raw_client.ts";
import { reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

const FILES_MAX = 128;
const CLIENTS = 200;

scenario("out of descriptors, Weir lives on and serves again as soon as there is room", async (props) => {
  const origin = await props.origin(reply(200, { body: "served" }));
  const weir = await props.weir({ upstreams: origin.url, filesMax: FILES_MAX });
  assertEquals((await ask(weir.url)).text, "served");
  const clients: RawClient[] = [];
  for (let round = 0; round < 2; round++) {
    // Deno.serve stops listening when it runs out: Weir listens again, and until then some are turned away.
    for (let i = 0; i < CLIENTS; i++) {
      await RawClient.connect(weir.url).then((one) => clients.push(one), () => {});
    }
    // Who idles the longest makes room; Deno.serve does not know who idles.
    if (props.listener === "wire") assertEquals((await ask(weir.url)).text, "served");
    else await until("it has run out", async () => await weir.openFiles() >= FILES_MAX - 5);
    await Promise.all(clients.splice(0).map((client) => client.reset()));
    await until("there is room", async () => await weir.openFiles() < FILES_MAX / 2 + 20);
    await until(
      "a new client is served",
      () => ask(weir.url).then(({ text }) => text === "served", () => false),
    );
  }
  await until("operators are served", async () => await weir.status("/readyz") === 200);
  assertEquals(weir.ended, false);
});
