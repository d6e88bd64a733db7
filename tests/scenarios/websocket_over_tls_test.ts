// WebSockets over TLS: many at once, through a change of the certificate, and to the end of Weir.

import { assertEquals } from "@std/assert";
import type { WebSocket as WsClient } from "ws";
import { readCertificate } from "../../src/control/certificate.ts";
import { Authority } from "../support/certificates.ts";
import { scenario } from "../support/scenario.ts";
import { needs } from "../support/tools.ts";
import { until } from "../support/until.ts";
import { connectWs } from "../support/ws_client.ts";
import { startWsOrigin } from "../support/ws_server.ts";

const CONNECTIONS = 300;
const AT_ONCE = 50;

async function echo(client: WsClient, text: string): Promise<string> {
  const answer = new Promise<string>((resolve, reject) => {
    client.once("message", (data) => resolve(String(data)));
    client.once("close", (code) => reject(new Error(`closed with ${code}`)));
  });
  client.send(text);
  return await answer;
}

scenario("WebSockets over TLS outlive a change of the certificate, and leave with Weir", async (props) => {
  await using authority = await Authority.create();
  const [first, second] = [await authority.issue(), await authority.issue()];
  const tls = await authority.install("site", first);
  await using origin = await startWsOrigin();
  const weir = await props.weir({
    config: {
      listen: { tls },
      drain: { delayMs: 0, deadlineMs: 5_000 },
      upstreams: { default: { endpoints: [origin.url] } },
    },
  });
  const clients: WsClient[] = [];
  while (clients.length < CONNECTIONS) {
    clients.push(
      ...await Promise.all(
        Array.from({ length: AT_ONCE }, () => connectWs(weir.url, { ca: authority.cert })),
      ),
    );
  }
  await authority.install("site", second);
  const { fingerprint } = readCertificate(second);
  await weir.line(new RegExp(`every new handshake gets certificate ${fingerprint}`));
  const echoes = await Promise.all(clients.map((client, i) => echo(client, `message ${i}`)));
  assertEquals(echoes, clients.map((_, i) => `message ${i}`));
  const codes = clients.map((client) => new Promise((resolve) => client.once("close", resolve)));
  weir.signal("SIGTERM");
  assertEquals(new Set(await Promise.all(codes)), new Set([1001]));
  assertEquals((await weir.exit).code, 0);
  await until("the origin is left alone", () => origin.open === 0);
}, { ...needs("openssl"), listeners: ["serve", "wire"] });
