// An answer whose head and body go out one after the other waits for the client to acknowledge the head: 40 ms on
// every request of a kept connection over TLS. So an answer that is there leaves in one piece.

import { assertEquals } from "@std/assert";
import { Authority } from "../support/certificates.ts";
import { scenario } from "../support/scenario.ts";
import { needs } from "../support/tools.ts";

const SIZES = [0, 100, 600, 1_024, 3_000, 5_000, 12_000];
const ROUNDS = 5;

scenario("a small answer on a kept TLS connection is one record of TLS", async (props) => {
  await using authority = await Authority.create();
  await using origin = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ url }) => {
    return new Response("x".repeat(Number(new URL(url).pathname.slice(1))));
  });
  const weir = await props.weir({
    config: {
      listen: { tls: await authority.install("site", await authority.issue()) },
      upstreams: { default: { endpoints: [`http://127.0.0.1:${origin.addr.port}`] } },
    },
  });
  using client = await Deno.connectTls({
    hostname: "127.0.0.1",
    port: Number(new URL(weir.url).port),
    caCerts: [authority.cert],
    alpnProtocols: ["http/1.1"],
  });
  const buffer = new Uint8Array(32_768);
  const pieces: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const size of SIZES) {
      await client.write(new TextEncoder().encode(`GET /${size} HTTP/1.1\r\nHost: app.test\r\n\r\n`));
      let answer = "";
      let reads = 0;
      // A read brings what one record holds.
      do {
        answer += new TextDecoder().decode(buffer.subarray(0, (await client.read(buffer))!));
        reads++;
      } while (answer.length - (answer.indexOf("\r\n\r\n") + 4) < size);
      pieces.push(`${size} bytes in ${reads}`);
    }
  }
  assertEquals(new Set(pieces), new Set(SIZES.map((size) => `${size} bytes in 1`)));
}, needs("openssl"));
