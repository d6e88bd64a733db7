// Deno.serve behind a door of Weir's own.

import { assertEquals } from "@std/assert";
import { openListener } from "../../src/listener/listening.ts";
import { ServeListener } from "../../src/listener/serve.ts";
import { Authority } from "../support/certificates.ts";
import { objectsInHeap } from "../support/heap.ts";
import { listenOptions } from "../support/listen_options.ts";
import { TlsClient } from "../support/tls_client.ts";
import { needs } from "../support/tools.ts";
import { until } from "../support/until.ts";

Deno.test("a ServeListener behind a door of Weir's refuses who did not come through it", async () => {
  let handled = 0;
  const handle = async () => void handled++;
  const listener = new ServeListener(
    listenOptions("serve", { handle }),
    { hostname: "127.0.0.1", port: 0, reusePort: false, scheme: "https", clientOf: () => null },
  );
  const answer = await fetch(`http://127.0.0.1:${listener.port}/`);
  assertEquals([answer.status, await answer.text(), handled], [403, "", 0]);
  await listener.drain();
});

Deno.test({
  name: "nothing is kept of clients that came through the door and have left",
  ...needs("openssl"),
  async fn() {
    await using authority = await Authority.create();
    let connections = 0;
    const listener = openListener(listenOptions("serve", {
      certificate: { ...await authority.issue(), fingerprint: "" },
      countConnection: (change) => connections += change,
    }));
    for (let n = 0; n < 3; n++) {
      await using client = await TlsClient.connect(`https://127.0.0.1:${listener.port}`, authority.cert);
      client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n");
      await client.until("204");
    }
    await until("everybody has left", () => connections === 0);
    assertEquals(await objectsInHeap("Passage"), 0);
    listener.abort();
  },
});
