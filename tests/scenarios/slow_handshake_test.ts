// Clients that begin a TLS handshake and never end it. Deno cannot cut a connection before its handshake has ended
// (docs/listeners.md): they hold up nobody, and their descriptors go when they go.

import { Authority } from "../support/certificates.ts";
import type { RawClient } from "../support/raw_client.ts";
import { reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { TlsClient } from "../support/tls_client.ts";
import { needs } from "../support/tools.ts";
import { until } from "../support/until.ts";

const CLIENTS = 50;
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
