// Clients that begin a TLS handshake and never end it, and an endpoint that never answers one. Deno cannot cut a
// connection before its handshake has ended (docs/listeners.md, docs/tls.md).

import { assertEquals } from "@std/assert";
import { Authority } from "../support/certificates.ts";
import { ask, type RawClient } from "../support/raw_client.ts";
import { reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { TlsClient } from "../support/tls_client.ts";
import { needs } from "../support/tools.ts";
import { until } from "../support/until.ts";

const CLIENTS = 50;
const REQUESTS = 30;
/** The beginning of one. */
const CLIENT_HELLO = new Uint8Array([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]);

scenario("TLS handshakes that do not end hold up nobody, and go with their clients", async (props) => {
  await using authority = await Authority.create();
  const files = await authority.install("site", await authority.issue());
  const origin = await props.origin(reply(200, { body: "served" }));
  const upstreams = { default: { endpoints: [origin.url] } };
  const weir = await props.weir({ config: { listen: { tls: files }, upstreams } });
  const before = await weir.openFiles();
  const clients: RawClient[] = [];
  for (let i = 0; i < CLIENTS; i++) {
    const client = await props.client(weir);
    if (i % 2 === 0) await client.send(CLIENT_HELLO);
    clients.push(client);
  }
  await until("they are all taken", async () => await weir.openFiles() >= before + CLIENTS * 0.8);
  for (let i = 0; i < 10; i++) {
    await using client = await TlsClient.connect(weir.url, authority.cert);
    client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n");
    await client.until("served");
  }
  await Promise.all(clients.map((client) => client.reset()));
  await until("they are all gone", async () => await weir.openFiles() < before + CLIENTS / 2);
}, needs("openssl"));

scenario("an endpoint that hangs costs no descriptor for each request and health check", async (props) => {
  // It waits for the end of a request head, which a TLS hello does not have.
  const silent = await props.origin();
  const hanging = {
    endpoints: [silent.url.replace("http:", "https:")],
    health: { intervalMs: 100, changingIntervalMs: 50, timeoutMs: 20 },
    timeouts: { tlsHandshakeMs: 20 },
    ejection: { enabled: false },
    retry: { attemptsMax: 1 },
  };
  const weir = await props.weir({ config: { upstreams: { hanging } } });
  const before = await weir.openFiles();
  for (let i = 0; i < REQUESTS; i++) assertEquals((await ask(weir.url)).status, 504);
  await until(
    "it was checked often",
    async () => await weir.metric("weir_endpoint_checks_total", { result: "failed" }) > REQUESTS,
  );
  await until("few are left", async () => await weir.openFiles() < before + REQUESTS / 2);
});
