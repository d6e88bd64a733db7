// Opening a connection, on connects and handshakes that the test ends: how long each may take, and what is closed
// when it fails.

import { assertEquals } from "@std/assert";
import type { UpstreamTlsSnapshot } from "../../src/messages.ts";
import {
  connectError,
  dial,
  DialError,
  type DialLimits,
  type DialTarget,
  openSocket,
} from "../../src/upstream/dial.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";

const HTTP: DialTarget = { scheme: "http", host: "10.0.0.7", port: 8080, authority: "a.test:8080" };
const HTTPS: DialTarget = { ...HTTP, scheme: "https" };
const PLAIN: UpstreamTlsSnapshot = { caCerts: ["an authority"] };
const SHOWN: UpstreamTlsSnapshot = { ...PLAIN, cert: "a certificate", key: "a key" };
const LIMITS: DialLimits = { connectMs: 1_000, tlsHandshakeMs: 500 };

/** Deno's ways to connect; each waits for the test, and says what was asked of it. */
class Stage implements Disposable {
  readonly done: string[] = [];
  options: Record<string | symbol, unknown> = {};
  readonly connected = Promise.withResolvers<void>();
  readonly started = Promise.withResolvers<void>();
  readonly shaken = Promise.withResolvers<void>();
  private readonly time = new StillTime(1_000);
  private readonly was = { connect: Deno.connect, connectTls: Deno.connectTls, startTls: Deno.startTls };

  constructor() {
    const { done, shaken } = this;
    const tcp = {
      setNoDelay: (on: boolean) => done.push(`no delay: ${on}`),
      close: () => done.push("closed"),
    };
    const close = () => {
      done.push("TLS closed");
      shaken.reject(new Deno.errors.BadResource("closed"));
    };
    const secure = { close, handshake: () => shaken.promise };
    Object.assign(Deno, {
      connect: (options: { signal: AbortSignal }) => {
        this.options = { ...options };
        options.signal.addEventListener("abort", () => this.connected.reject(options.signal.reason));
        return this.connected.promise.then(() => tcp);
      },
      connectTls: (options: Record<symbol, unknown>) => {
        this.options = options;
        return this.connected.promise.then(() => secure);
      },
      startTls: (_conn: unknown, options: Record<symbol, unknown>) => {
        this.options = options;
        return this.started.promise.then(() => secure);
      },
    });
  }

  /** "connected", or kind and message of the failure. */
  dial(
    target: DialTarget,
    { tls = PLAIN, limits = LIMITS, history = { silent: false } } = {},
  ): Promise<string> {
    const { wheel } = this.time;
    return dial(target, tls, limits, { wheel, history }).then(() => "connected", (error) => {
      if (!(error instanceof DialError)) throw error;
      return `${error.kind}: ${error.message}`;
    });
  }

  pass(ms: number): Promise<void> {
    return this.time.pass(ms);
  }

  [Symbol.dispose](): void {
    Object.assign(Deno, this.was);
  }
}

Deno.test("dial() connects to the address of the endpoint, with Nagle off", async () => {
  using stage = new Stage();
  stage.connected.resolve();
  assertEquals(await stage.dial(HTTP), "connected");
  assertEquals([stage.options.hostname, stage.options.port], ["10.0.0.7", 8080]);
  await stage.pass(100_000);
  assertEquals([stage.done, (stage.options.signal as AbortSignal).aborted], [["no delay: true"], false]);
});

for (
  const [what, limits, ms] of [
    ["connectMs", LIMITS, 1_000],
    ["what is left of the attempt", { ...LIMITS, bothMs: 300 }, 300],
  ] as const
) {
  for (const target of [HTTP, HTTPS]) {
    Deno.test(`dial() waits for a connection by ${target.scheme} no longer than ${what}`, async () => {
      using stage = new Stage();
      const dialling = stage.dial(target, { limits });
      await stage.pass(ms - 10);
      assertEquals((stage.options.signal as AbortSignal).aborted, false);
      await stage.pass(10);
      assertEquals(await dialling, `timedOut: no connection within ${ms} ms`);
    });
  }
}

Deno.test("dial() remembers a connect that ran out of time where Deno goes on with it", async () => {
  for (
    const [target, tls, silent] of [[HTTPS, SHOWN, true], [HTTPS, PLAIN, false], [
      HTTP,
      SHOWN,
      false,
    ]] as const
  ) {
    using stage = new Stage();
    const history = { silent: false };
    const dialling = stage.dial(target, { tls, history });
    await stage.pass(LIMITS.connectMs);
    assertEquals(await dialling, "timedOut: no connection within 1000 ms");
    assertEquals(history.silent, silent);
  }
});

Deno.test("dial() ends with the request that wanted it where Deno does not go on with it", async () => {
  for (
    const [target, tls, ends] of [[HTTP, PLAIN, true], [HTTPS, PLAIN, true], [HTTPS, SHOWN, false]] as const
  ) {
    using stage = new Stage();
    const abort = new AbortController();
    const history = { silent: false };
    const dialling = stage.dial(target, { tls, history, limits: { ...LIMITS, abort } });
    abort.abort(new DialError("local", "nobody wants it"));
    await settled();
    await stage.pass(LIMITS.connectMs);
    const [end, silent] = ends
      ? ["local: nobody wants it", false]
      : ["timedOut: no connection within 1000 ms", true];
    assertEquals([await dialling, history.silent], [end, silent]);
  }
});

/** Limits, and how long the connect takes -> how long the handshake may take. */
const handshakes: readonly (readonly [limits: DialLimits, connectMs: number, ms: number])[] = [
  [LIMITS, 0, 500],
  [LIMITS, 900, 500],
  [{ ...LIMITS, bothMs: 5_000 }, 900, 500],
  [{ ...LIMITS, bothMs: 1_000 }, 900, 100],
  [{ ...LIMITS, bothMs: 400 }, 0, 400],
];

for (const [limits, connectMs, ms] of handshakes) {
  Deno.test(`dial() waits ${ms} ms for a handshake by ${JSON.stringify(limits)} after ${connectMs} ms`, async () => {
    for (const [tls, closed] of [[PLAIN, "closed"], [PLAIN, "TLS closed"], [SHOWN, "TLS closed"]] as const) {
      using stage = new Stage();
      const dialling = stage.dial(HTTPS, { tls, limits });
      await stage.pass(connectMs);
      stage.connected.resolve();
      if (closed === "TLS closed") stage.started.resolve();
      await settled();
      await stage.pass(ms - 10);
      assertEquals(stage.done.includes(closed), false);
      await stage.pass(10);
      stage.started.reject(new Deno.errors.BadResource("closed"));
      assertEquals(await dialling, `tlsTimedOut: no TLS handshake within ${ms} ms`);
      assertEquals(stage.done.at(-1), closed);
    }
  });
}

Deno.test("dial() gives a connection once its handshake is over, and leaves it alone from then on", async () => {
  using stage = new Stage();
  const dialling = stage.dial(HTTPS);
  let over = false;
  dialling.then(() => over = true);
  stage.connected.resolve();
  stage.started.resolve();
  await settled();
  assertEquals(over, false);
  assertEquals([stage.options.hostname, stage.options.caCerts], ["a.test", ["an authority"]]);
  stage.shaken.resolve();
  assertEquals(await dialling, "connected");
  await stage.pass(100_000);
  assertEquals(stage.done, ["no delay: true"]);
});

Deno.test("dial() closes a connection whose handshake fails, and says why in words", async () => {
  for (const [step, closed] of [["started", "closed"], ["shaken", "TLS closed"]] as const) {
    using stage = new Stage();
    const dialling = stage.dial(HTTPS);
    stage.connected.resolve();
    if (step === "shaken") stage.started.resolve();
    stage[step].reject(new Deno.errors.InvalidData("invalid peer certificate: UnknownIssuer"));
    assertEquals(await dialling, "tlsFailed: certificate of an unknown authority");
    assertEquals(stage.done, ["no delay: true", closed]);
  }
});

Deno.test("dial() shows a certificate where there are both it and its key, and verifies the name that is written", async () => {
  const serverName = Symbol.for("unstableServerName");
  const { cert, key } = SHOWN;
  const { caCerts } = PLAIN;
  const shown: readonly (readonly [tls: UpstreamTlsSnapshot, shows: boolean])[] = [
    [{ caCerts, cert: cert!, key: key! }, true],
    [{ caCerts, cert: cert! }, false],
    [{ caCerts, key: key! }, false],
    [PLAIN, false],
  ];
  for (const [tls, shows] of shown) {
    using stage = new Stage();
    for (const step of [stage.connected, stage.started, stage.shaken]) step.resolve();
    assertEquals(await stage.dial(HTTPS, { tls }), "connected");
    const { hostname, cert: sent } = stage.options;
    assertEquals([hostname, stage.options[serverName], sent], [
      shows ? "10.0.0.7" : "a.test",
      shows ? "a.test" : undefined,
      shows ? cert : undefined,
    ]);
  }
});

Deno.test("dial() of an endpoint by http speaks no TLS, whatever the upstream has for those by https", async () => {
  using stage = new Stage();
  stage.connected.resolve();
  assertEquals(await stage.dial(HTTP, { tls: SHOWN }), "connected");
  assertEquals([stage.done, stage.options.cert], [["no delay: true"], undefined]);
});

Deno.test("dial() with a certificate closes a connection that comes when its time is over", async () => {
  using stage = new Stage();
  const dialling = stage.dial(HTTPS, { tls: SHOWN });
  await stage.pass(1_000);
  assertEquals(await dialling, "timedOut: no connection within 1000 ms");
  assertEquals(stage.done, []);
  stage.connected.resolve();
  stage.shaken.promise.catch(() => {});
  await settled();
  assertEquals(stage.done, ["TLS closed"]);
});

/** A connect that failed -> kind and message. */
const failures: readonly (readonly [error: unknown, kind: DialError["kind"], message: string])[] = [
  [new Deno.errors.ConnectionRefused("os error 111"), "refused", "connection refused"],
  [new Error("Too many open files (os error 24)"), "local", "Too many open files (os error 24)"],
  [new Error("something (os error 24)"), "local", "something (os error 24)"],
  [new Error("Cannot assign: Address not available"), "local", "Cannot assign: Address not available"],
  [new Error("something (os error 99)"), "local", "something (os error 99)"],
  [
    new Error("failed to lookup address information: Name or service not known"),
    "unresolved",
    "name does not resolve",
  ],
  [new Error("No route to host (os error 113)"), "refused", "No route to host (os error 113)"],
  ["words", "refused", "words"],
];

for (const [error, kind, message] of failures) {
  Deno.test(`connectError() of ${error}: ${kind}`, async () => {
    const failure = connectError(error);
    assertEquals([failure.kind, failure.message], [kind, message]);
    for (const tls of [PLAIN, SHOWN]) {
      using stage = new Stage();
      stage.connected.reject(error);
      const limits = { ...LIMITS };
      assertEquals(await stage.dial(HTTPS, { tls, limits }), `${kind}: ${message}`);
    }
  });
}

Deno.test("openSocket() closes what comes about just as it is given up: Deno would keep its descriptor", async () => {
  using stage = new Stage();
  const abort = new AbortController();
  const opening = openSocket(HTTP, PLAIN, abort.signal);
  abort.abort("given up");
  stage.connected.resolve();
  assertEquals(await opening.catch((reason) => reason), "given up");
  assertEquals(stage.done.at(-1), "closed");
});

Deno.test("openSocket() asks nobody for a connection that was given up before", async () => {
  using stage = new Stage();
  const reason = await openSocket(HTTP, PLAIN, AbortSignal.abort("given up")).catch((reason) => reason);
  assertEquals([reason, stage.done], ["given up", []]);
});
