// Clients that leave while their upload goes on and its answer has begun: Deno.serve never ends the reads of such
// uploads, so one that has many of them gives way to another, and what it kept is free again.

import { STUCK_MAX } from "../../src/listener/serve_stuck.ts";
import { Authority } from "../support/certificates.ts";
import { RawClient } from "../support/raw_client.ts";
import { afterHead, hang, replyRaw } from "../support/raw_origin.ts";
import { type Props, scenario } from "../support/scenario.ts";
import { TlsClient } from "../support/tls_client.ts";
import { needs } from "../support/tools.ts";
import { until } from "../support/until.ts";
import type { RunningWeir } from "../support/weir.ts";

const BEGUN = "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000\r\n\r\nsome";
const ANSWER = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nanswer\r\n";
const CLIENTS = 2 * STUCK_MAX;
const AT_ONCE = 16;
/** For what idles: connections to the origin, to operators, and of clients that are not closed yet. */
const OTHERS_MAX = 32;

function origin(props: Props) {
  return props.origin(afterHead(replyRaw(ANSWER), hang()));
}

/** @param visit begins an upload, and leaves once its answer has begun */
async function leaveBehind(weir: RunningWeir, visit: () => Promise<void>): Promise<void> {
  const before = await weir.openFiles();
  // Whoever comes in the moment in which one gives way to another may be turned away.
  const visits = async () => {
    for (let i = 0; i < CLIENTS / AT_ONCE; i++) await visit().catch(() => {});
  };
  await Promise.all(Array.from({ length: AT_ONCE }, visits));
  await until(
    "what was left behind is free",
    async () => await weir.openFiles() < before + STUCK_MAX + OTHERS_MAX,
  );
}

scenario("uploads whose clients leave as their answers come keep no descriptors for good", async (props) => {
  const weir = await props.weir({ upstreams: (await origin(props)).url, workers: 1 });
  await leaveBehind(weir, async () => {
    await using client = await RawClient.connect(weir.url);
    await client.send(BEGUN);
    await client.head();
  });
});

scenario("uploads over TLS whose clients leave keep no descriptors for good", async (props) => {
  await using authority = await Authority.create();
  const tls = await authority.install("site", await authority.issue());
  const endpoints = [(await origin(props)).url];
  const weir = await props.weir({
    workers: 1,
    config: { listen: { tls }, upstreams: { default: { endpoints } } },
  });
  await leaveBehind(weir, async () => {
    await using client = await TlsClient.connect(weir.url, authority.cert);
    client.send(BEGUN);
    await client.until("answer");
  });
}, { ...needs("openssl"), listeners: ["serve"] });
