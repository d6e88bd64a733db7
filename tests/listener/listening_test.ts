// A port whose listener has one certificate for life, as Deno.serve has: it is replaced by another listener.

import { assertEquals } from "@std/assert";
import { readCertificate } from "../../src/control/certificate.ts";
import { configSchema } from "../../src/config/schema.ts";
import { Listening } from "../../src/listener/listening.ts";
import { serve } from "../../src/listener/serve.ts";
import { runningWheel } from "../../src/timer_wheel.ts";
import { Authority, type Identity } from "../support/certificates.ts";
import { TlsClient } from "../support/tls_client.ts";
import { needs } from "../support/tools.ts";
import { until } from "../support/until.ts";

const { listen } = configSchema.parse({ upstreams: { default: { endpoints: ["http://127.0.0.1:1"] } } });

function snapshot(identity: Identity) {
  return { ...identity, fingerprint: readCertificate(identity).fingerprint };
}

Deno.test({
  name: "Listening.swap() replaces a listener that cannot renew, and tells when no old one accepts",
  ...needs("openssl"),
  async fn() {
    await using authority = await Authority.create();
    const [first, second] = [snapshot(await authority.issue()), snapshot(await authority.issue())];
    const applied: string[] = [];
    let url = "";
    const wheel = runningWheel();
    const listening = new Listening({
      config: { ...listen, host: "127.0.0.1", port: 0 },
      wheel,
      open: serve,
      trusts: () => false,
      handle: async (exchange) => {
        await exchange.respond({ status: 204, reason: "No Content", headers: [] }, null);
      },
      uploadsMs: 1_000,
      onListening: (host, port) => url = `https://${host}:${port}`,
      onNotListening: () => {},
      beforeLeaving: () => Promise.resolve(),
      onCertificate: (fingerprint) => applied.push(fingerprint),
    }, first);
    listening.open();
    {
      await using client = await TlsClient.connect(url, authority.cert);
      assertEquals(client.fingerprint, first.fingerprint);
    }
    listening.swap(second);
    await until("the old listener is deaf", () => applied.at(-1) === second.fingerprint);
    for (let i = 0; i < 10; i++) {
      await using client = await TlsClient.connect(url, authority.cert);
      assertEquals(client.fingerprint, second.fingerprint);
    }
    await listening.drain();
    wheel.stop();
  },
});
