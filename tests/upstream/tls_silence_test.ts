// An endpoint that takes connections and lets their TLS handshakes run out of time: what that leaves behind.

import { assertEquals, assertRejects } from "@std/assert";
import { probe } from "../../src/control/probe.ts";
import type { UpstreamTlsSnapshot } from "../../src/messages.ts";
import { dial, DialError, type DialTarget } from "../../src/upstream/dial.ts";
import type { TlsHistory } from "../../src/upstream/tls_silence.ts";
import { Authority } from "../support/certificates.ts";
import { startBlackHole } from "../support/black_hole.ts";
import { freePort } from "../support/free_port.ts";
import { SecureOrigin } from "../support/secure_origin.ts";
import { StillTime } from "../support/still_time.ts";
import { needs } from "../support/tools.ts";
import { until } from "../support/until.ts";

const strict = { sanitizeOps: true, sanitizeResources: true, ...needs("openssl") };
const PLAIN: UpstreamTlsSnapshot = { caCerts: [] };
const LIMITS = { connectMs: 1_000, tlsHandshakeMs: 500 };
const HANDSHAKES = 4;

/** Takes connections and what they say, and says nothing; the first `closes` of them it closes. */
class SilentEndpoint implements AsyncDisposable {
  /** Connections that have said something. */
  greeted = 0;
  /** Connections that were ended from the other side. */
  left = 0;
  private readonly listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  private readonly conns: Deno.Conn[] = [];
  private readonly over = this.listen();

  constructor(private closes = 0) {}

  get target(): DialTarget {
    return targetOf((this.listener.addr as Deno.NetAddr).port);
  }

  private async listen(): Promise<void> {
    const reading: Promise<void>[] = [];
    for await (const conn of this.listener) {
      if (this.closes-- > 0) {
        conn.close();
        continue;
      }
      this.conns.push(conn);
      reading.push(this.read(conn));
    }
    await Promise.all(reading);
  }

  private async read(conn: Deno.Conn): Promise<void> {
    const bytes = new Uint8Array(16_384);
    try {
      for (let heard = false; await conn.read(bytes) !== null; heard = true) if (!heard) this.greeted++;
      this.left++;
    } catch {
      // Closed here.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.listener.close();
    for (const conn of this.conns) conn.close();
    await this.over;
  }
}

function targetOf(port: number): DialTarget {
  return { scheme: "https", host: "127.0.0.1", port, authority: `app.test:${port}` };
}

async function dialInVain(
  endpoint: SilentEndpoint,
  tls: UpstreamTlsSnapshot,
  history: TlsHistory,
): Promise<void> {
  const time = new StillTime();
  const before = endpoint.greeted;
  const dialling = dial(endpoint.target, tls, LIMITS, { wheel: time.wheel, history });
  const failed = assertRejects(() => dialling, DialError, "no TLS handshake within 500 ms");
  await until("it says hello", () => endpoint.greeted > before);
  await time.pass(LIMITS.tlsHandshakeMs);
  await failed;
}

Deno.test(
  "dial() leaves an endpoint that answers no handshake one connection, and closes the others",
  strict,
  async () => {
    await using authority = await Authority.create();
    for (const tls of [PLAIN, { ...PLAIN, ...await authority.issue() }]) {
      await using endpoint = new SilentEndpoint();
      const history = { silent: false };
      for (let i = 0; i < HANDSHAKES; i++) await dialInVain(endpoint, tls, history);
      await until("all but the first are closed", () => endpoint.left === HANDSHAKES - 1);
    }
  },
);

Deno.test(
  "probe() leaves an endpoint that answers no handshake one connection, and closes the others",
  strict,
  async () => {
    await using endpoint = new SilentEndpoint();
    const settings = { kind: "tcp", path: "/", expect: ["200"], tls: PLAIN } as const;
    const history = { silent: false };
    for (let i = 0; i < HANDSHAKES; i++) {
      const abort = new AbortController();
      const outcome = probe(endpoint.target, settings, abort.signal, history);
      await until("it says hello", () => endpoint.greeted > i);
      abort.abort();
      assertEquals((await outcome).passed, false);
    }
    await until("all but the first are closed", () => endpoint.left === HANDSHAKES - 1);
  },
);

Deno.test(
  "an endpoint that has just answered is asked no more, though the handshake behind that is late",
  strict,
  async () => {
    const dialled = { silent: true };
    await using first = new SilentEndpoint(1);
    await dialInVain(first, PLAIN, dialled);
    const probed = { silent: true };
    await using second = new SilentEndpoint(1);
    const abort = new AbortController();
    const settings = { kind: "tcp", path: "/", expect: ["200"], tls: PLAIN } as const;
    const outcome = probe(second.target, settings, abort.signal, probed);
    await until("it says hello", () => second.greeted === 1);
    abort.abort();
    assertEquals((await outcome).passed, false);
    assertEquals([dialled.silent, probed.silent], [false, false]);
  },
);

Deno.test(
  "dial() connects to an endpoint that was silent and answers again, and asks it no more",
  strict,
  async () => {
    await using authority = await Authority.create();
    await using origin = await SecureOrigin.start(await authority.issue());
    const target = targetOf(Number(new URL(origin.url).port));
    // By a name, and by an address, which is no server name.
    for (const name of ["app.test", "127.0.0.1"]) {
      const history = { silent: true };
      const tls = { caCerts: [authority.cert] };
      const conn = await dial(
        { ...target, authority: name },
        tls,
        LIMITS,
        { wheel: new StillTime().wheel, history },
      );
      conn.close();
      assertEquals(history.silent, false);
    }
  },
);

Deno.test("probe() remembers a connect that ran out of time where Deno goes on with it", async () => {
  const { connectTls } = Deno;
  const history = { silent: false };
  const settings = {
    kind: "tcp",
    path: "/",
    expect: ["200"],
    tls: { ...PLAIN, cert: "c", key: "k" },
  } as const;
  const abort = new AbortController();
  try {
    Deno.connectTls = () => new Promise(() => {});
    const outcome = probe(targetOf(1), settings, abort.signal, history);
    abort.abort();
    assertEquals([(await outcome).passed, history.silent], [false, true]);
  } finally {
    Deno.connectTls = connectTls;
  }
});

Deno.test("dial() says of an endpoint that was silent that it takes no connection in time", async () => {
  await using hole = await startBlackHole();
  const time = new StillTime();
  const target = targetOf(Number(new URL(hole.url).port));
  const dialling = dial(target, PLAIN, LIMITS, { wheel: time.wheel, history: { silent: true } });
  const failed = assertRejects(() => dialling, DialError, "no connection within 1000 ms");
  await time.pass(LIMITS.connectMs);
  await failed;
});

Deno.test("dial() says of an endpoint that was silent what is wrong with it now", strict, async () => {
  const history = { silent: true };
  const { wheel } = new StillTime();
  await assertRejects(
    () => dial(targetOf(freePort()), PLAIN, LIMITS, { wheel, history }),
    DialError,
    "connection refused",
  );
  await using authority = await Authority.create();
  await using origin = await SecureOrigin.start(await authority.issue());
  const target = targetOf(Number(new URL(origin.url).port));
  const error = "certificate of an unknown authority";
  await assertRejects(() => dial(target, PLAIN, LIMITS, { wheel, history }), DialError, error);
  assertEquals(history.silent, false);
});

Deno.test("out of descriptors, an endpoint that was silent has not answered, and is asked where there is room", async () => {
  const script = new URL("../support/without_descriptors.ts", import.meta.url).pathname;
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `ulimit -n 64 && exec "$0" run --allow-all "$1"`, Deno.execPath(), script],
    env: { NO_COLOR: "1" },
    stderr: "inherit",
  }).output();
  assertEquals(JSON.parse(new TextDecoder().decode(stdout)), {
    probe: [false, true, true],
    dial: ["local", true],
    dialWithRoom: ["tlsTimedOut", true],
  });
});
