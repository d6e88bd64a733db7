// How many clients are connected, and how many have been: told where the listener knows, and never guessed.

import { assertEquals } from "@std/assert";
import { Authority } from "../support/certificates.ts";
import { requestText } from "../support/raw_client.ts";
import { reply } from "../support/raw_origin.ts";
import { ALL_BUT_SERVE, scenario } from "../support/scenario.ts";
import { TlsClient } from "../support/tls_client.ts";
import { needs } from "../support/tools.ts";
import { until } from "../support/until.ts";
import type { RunningWeir } from "../support/weir.ts";

/** Connections open now, by metrics and by the status, and all that were accepted. */
async function told(weir: RunningWeir): Promise<[open: number, ofWorker: number | null, accepted: number]> {
  const { workers: [worker] } = JSON.parse(await weir.admin("/status"));
  const open = await weir.metric("weir_worker_connections");
  return [open, worker.connections, await weir.metric("weir_connections_total")];
}

async function untilTold(weir: RunningWeir, open: number, accepted: number): Promise<void> {
  const wanted = JSON.stringify([open, open, accepted]);
  await until(`connections are ${wanted}`, async () => JSON.stringify(await told(weir)) === wanted);
}

scenario("connections are counted from their beginning to their end", async (props) => {
  const weir = await props.weir({ upstreams: (await props.origin()).url });
  const [first, second] = [await props.client(weir), await props.client(weir)];
  for (const client of [first, first, second]) {
    await client.send(requestText("GET", "/"));
    assertEquals((await client.response()).status, 200);
  }
  await untilTold(weir, 2, 2);
  await first.close();
  await untilTold(weir, 1, 2);
  await second.reset();
  await untilTold(weir, 0, 2);
}, { listeners: ALL_BUT_SERVE });

scenario("connections with TLS are counted from their beginning to their end", async (props) => {
  await using authority = await Authority.create();
  const files = await authority.install("site", await authority.issue());
  const upstreams = { default: { endpoints: [(await props.origin(reply(204))).url] } };
  const weir = await props.weir({ config: { listen: { tls: files }, upstreams } });
  {
    await using client = await TlsClient.connect(weir.url, authority.cert);
    client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n");
    await client.until("204");
    await untilTold(weir, 1, 1);
  }
  await untilTold(weir, 0, 1);
}, needs("openssl"));

scenario("a listener that does not know its connections tells no number", async (props) => {
  const weir = await props.weir({ upstreams: (await props.origin()).url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/"));
  assertEquals((await client.response()).status, 200);
  const series = (await weir.admin("/metrics")).match(/^weir_(worker_)?connections.*/gm);
  assertEquals([series, (await told(weir))[1]], [null, null]);
}, { listeners: ["serve"] });
