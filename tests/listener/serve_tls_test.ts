// The listener with TLS while it leaves, over an engine that does nothing by itself.

import { assertEquals } from "@std/assert";
import { configSchema } from "../../src/config/schema.ts";
import type { ServedConnection, ServeHandler } from "../../src/listener/serve_engine.ts";
import { serveTls } from "../../src/listener/serve_tls.ts";
import { TimerWheel } from "../../src/timer_wheel.ts";
import { Authority } from "../support/certificates.ts";
import { needs } from "../support/tools.ts";
import { until } from "../support/until.ts";

const { listen } = configSchema.parse({ upstreams: { default: { endpoints: ["http://127.0.0.1:1"] } } });
const remoteAddr: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port: 1 };

/** A connection in the engine's hands, which ends when it is told to. */
class Scripted implements ServedConnection {
  fate = "stands";
  private readonly end = Promise.withResolvers<void>();
  readonly finished = this.end.promise;

  constructor(
    private readonly conn: Deno.TlsConn,
    signal: AbortSignal,
    private readonly handler: ServeHandler,
  ) {
    signal.addEventListener("abort", () => this.finish("cut"));
  }

  private finish(fate: string): void {
    this.fate = fate;
    this.conn.close();
    this.end.resolve();
  }

  async shutdown(): Promise<void> {
    this.finish("shut down");
  }

  letGo(): void {}

  /** A request comes. */
  ask(): Promise<Response> {
    const info = { remoteAddr, completed: Promise.resolve() };
    return this.handler(new Request("https://app.test/", { headers: { Host: "app.test" } }), info);
  }
}

Deno.test({
  name: "serveTls() leaves at once those that had a request, and gives the others a second for their first",
  ...needs("openssl"),
  async fn() {
    await using authority = await Authority.create();
    const identity = await authority.issue();
    let now = 0;
    const wheel = new TimerWheel({ now: () => now, every: () => () => {} });
    const scripted: Scripted[] = [];
    const listener = serveTls(
      {
        config: { ...listen, host: "127.0.0.1", port: 0 },
        wheel,
        handle: async (exchange) => {
          await exchange.respond({ status: 204, reason: "No Content", headers: [] }, null);
        },
        onFailed: () => {},
        trusts: () => false,
      },
      { ...identity, fingerprint: "" },
      (conn, signal, handler) => {
        const served = new Scripted(conn, signal, handler);
        scripted.push(served);
        return served;
      },
    );
    const clients: Deno.TcpConn[] = [];
    for (let i = 0; i < 3; i++) {
      clients.push(await Deno.connect({ hostname: "127.0.0.1", port: listener.port }));
    }
    await until("all were let in", () => scripted.length === clients.length);
    const fates = () => scripted.map(({ fate }) => fate);

    const [before, during] = scripted;
    assertEquals((await before!.ask()).headers.get("connection"), null);
    const drained = listener.drain();
    await until("it leaves", () => before!.fate !== "stands");
    assertEquals(fates(), ["shut down", "stands", "stands"]);
    assertEquals((await during!.ask()).headers.get("connection"), "close");
    now = 1_010;
    wheel.advance();
    assertEquals(fates(), ["shut down", "shut down", "cut"]);
    await drained;
    for (const client of clients) client.close();
  },
});
