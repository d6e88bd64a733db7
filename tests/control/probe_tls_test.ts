import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { assertEquals } from "@std/assert";
import { probe, type ProbeSettings, type ProbeTarget } from "../../src/control/probe.ts";
import { Authority } from "../support/certificates.ts";
import { SecureOrigin } from "../support/secure_origin.ts";
import { needs } from "../support/tools.ts";

const options = { sanitizeOps: true, sanitizeResources: true, ...needs("openssl") };
const never = new AbortController().signal;

/** The endpoint on this port, which the operator calls by this name. */
function secure(port: number, name: string): ProbeTarget {
  return { scheme: "https", host: "127.0.0.1", port, authority: `${name}:${port}` };
}

Deno.test({
  name: "probe() of an https endpoint says what is wrong with its certificate",
  ...options,
  fn: async () => {
    await using authority = await Authority.create();
    const trusted = [authority.cert];
    const table: { days: number; name: string; serverName?: string; caCerts: string[]; reason: string }[] = [
      { days: 2, name: "app.test", caCerts: trusted, reason: "status 200" },
      { days: 2, name: "other.test", serverName: "app.test", caCerts: trusted, reason: "status 200" },
      {
        days: 2,
        name: "other.test",
        caCerts: trusted,
        reason: "certificate is for another name than other.test: app.test",
      },
      { days: 2, name: "app.test", caCerts: [], reason: "certificate of an unknown authority" },
      { days: -1, name: "app.test", caCerts: trusted, reason: "certificate expired" },
    ];
    for (const { days, name, serverName, caCerts, reason } of table) {
      await using origin = await SecureOrigin.start(await authority.issue({ names: ["app.test"], days }));
      const port = Number(new URL(origin.url).port);
      const tls = serverName === undefined ? { caCerts } : { caCerts, serverName };
      const settings: ProbeSettings = { kind: "http", path: "/", expect: ["200"], tls };
      const passed = reason === "status 200";
      assertEquals(await probe(secure(port, name), settings, never), { passed, reason });
      const tcp = await probe(secure(port, name), { ...settings, kind: "tcp" }, never);
      assertEquals(
        tcp,
        { passed, reason: passed ? "connected" : reason },
        "TCP checks make the handshake, too",
      );
    }
  },
});

Deno.test({
  name: "probe() of an https endpoint says that it closed without an answer, with or without TLS's farewell",
  ...options,
  fn: async () => {
    await using authority = await Authority.create();
    const identity = await authority.issue();
    for (const end of ["end", "destroy"] as const) {
      const server = tls.createServer({ ...identity }, (socket) => socket.once("data", () => socket[end]()));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      const settings = {
        kind: "http",
        path: "/",
        expect: ["200"],
        tls: { caCerts: [authority.cert] },
      } as const;
      const outcome = await probe(secure(port, "app.test"), settings, never);
      assertEquals(outcome, { passed: false, reason: "closed without an answer" }, end);
      await new Promise((resolve) => server.close(resolve));
    }
  },
});

Deno.test("probe() of an https endpoint says that it does not speak TLS", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answered = listener.accept().then(async (conn) => {
    await conn.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
    // Until the prober has gone: closing at once could overtake the answer.
    while (await conn.read(new Uint8Array(4_096)).catch(() => null) !== null);
    conn.close();
  });
  const port = (listener.addr as Deno.NetAddr).port;
  const settings: ProbeSettings = { kind: "tcp", path: "/", expect: ["200"], tls: { caCerts: [] } };
  const outcome = await probe(secure(port, "app.test"), settings, never);
  assertEquals(outcome, { passed: false, reason: "the endpoint does not speak TLS" });
  await answered;
  listener.close();
});
