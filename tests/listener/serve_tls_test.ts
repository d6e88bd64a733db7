// The listener with TLS while it leaves, with real clients and a clock that only the test moves.

import { assertEquals, assertRejects } from "@std/assert";
import { configSchema } from "../../src/config/schema.ts";
import { ServeListener } from "../../src/listener/serve.ts";
import { serveTls } from "../../src/listener/serve_tls.ts";
import { TimerWheel } from "../../src/timer_wheel.ts";
import { Authority } from "../support/certificates.ts";
import { TlsClient } from "../support/tls_client.ts";
import { needs } from "../support/tools.ts";
import { until } from "../support/until.ts";

const { listen } = configSchema.parse({ upstreams: { default: { endpoints: ["http://127.0.0.1:1"] } } });
const GET = "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n";

Deno.test({
  name: "serveTls() leaves at once those that had a request, and gives the others a second for their first",
  ...needs("openssl"),
  async fn() {
    await using authority = await Authority.create();
    let now = 0;
    const wheel = new TimerWheel({ now: () => now, every: () => () => {} });
    const ports: number[] = [];
    const listener = serveTls(
      {
        config: { ...listen, host: "127.0.0.1", port: 0 },
        wheel,
        handle: async (exchange) => {
          ports.push(exchange.peer.port);
          await exchange.respond({ status: 204, reason: "No Content", headers: [] }, null);
        },
        onFailed: () => {},
        trusts: () => false,
      },
      { ...await authority.issue(), fingerprint: "" },
    );
    const url = `https://127.0.0.1:${listener.port}`;
    await using before = await TlsClient.connect(url, authority.cert);
    await using during = await TlsClient.connect(url, authority.cert);
    await using silent = await TlsClient.connect(url, authority.cert);
    before.send(GET);
    await before.until("204");
    let drained = false;
    const drain = listener.drain().then(() => drained = true);
    // Whoever waits in the system's queue is let in before it closes.
    await using late = await TlsClient.connect(url, authority.cert);
    for (now of [110, 140]) wheel.advance();
    await assertRejects(() => TlsClient.connect(url, authority.cert), Error, "ECONNREFUSED");
    for (const client of [during, late]) {
      client.send(GET);
      await client.until(/204[^]*connection: close/);
    }
    now = 1_200;
    wheel.advance();
    for (const client of [silent, before, during, late]) await client.ended;
    await until("nothing is left", () => drained);
    await drain;
    assertEquals(ports, [before.port, during.port, late.port]);
  },
});

Deno.test("a ServeListener behind a door of Weir's refuses who did not come through it", async () => {
  const wheel = new TimerWheel({ now: () => 0, every: () => () => {} });
  let handled = 0;
  const listener = new ServeListener(
    {
      config: listen,
      wheel,
      handle: () => {
        handled++;
        return Promise.resolve();
      },
      onFailed: () => {},
      trusts: () => false,
    },
    { hostname: "127.0.0.1", port: 0, reusePort: false, scheme: "https", clientOf: () => null },
  );
  const answer = await fetch(`http://127.0.0.1:${listener.port}/`);
  assertEquals([answer.status, await answer.text(), handled], [403, "", 0]);
  await listener.drain();
});
