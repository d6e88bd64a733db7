import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { connectionEngine, KNOWN_DENO } from "../../src/listener/serve_engine.ts";
import { Authority } from "../support/certificates.ts";
import { needs } from "../support/tools.ts";

// When this fails, Deno has moved on: look at what serve_engine.ts does by names that are not public, run the
// scenarios about certificates and WebSockets over TLS with it, then name the new version there.
Deno.test("connectionEngine() knows the Deno that runs", () => {
  assertEquals(Deno.version.deno, KNOWN_DENO);
  assertNotEquals(connectionEngine(), null);
});

Deno.test("connectionEngine() touches no inside that it does not know", () => {
  for (const version of ["2.9.5", "2.9.7", "3.0.0", ""]) assertEquals(connectionEngine(version), null);
});

Deno.test({
  name: "connectionEngine() leaves nothing behind of a handshake that failed",
  ...needs("openssl"),
  sanitizeOps: true,
  sanitizeResources: true,
  async fn() {
    await using authority = await Authority.create();
    const identity = await authority.issue();
    using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...identity });
    const { port } = listener.addr as Deno.NetAddr;
    using client = await Deno.connect({ hostname: "127.0.0.1", port });
    const engine = connectionEngine()!;
    const handler = () => Promise.resolve(new Response());
    const { finished } = engine(await listener.accept(), new AbortController().signal, handler);
    await client.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    await assertRejects(() => finished);
  },
});
