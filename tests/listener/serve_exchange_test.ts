import { assertEquals } from "@std/assert";
import type { Body, Exchange } from "../../src/exchange.ts";
import { PIECES } from "../../src/http1/buffers.ts";
import { Rotation } from "../../src/listener/rotation.ts";
import { Departures } from "../../src/listener/serve_departures.ts";
import { ServeExchange } from "../../src/listener/serve_exchange.ts";
import { StuckReads } from "../../src/listener/serve_stuck.ts";
import { Uploads } from "../../src/listener/serve_uploads.ts";
import { heldBytes } from "../support/held_bytes.ts";
import { latin1 } from "../support/raw_http.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";
import { ToldBody } from "../support/told_body.ts";

const peer = { hostname: "127.0.0.1", port: 1 };

/** What exchanges share, on a clock that only the test moves. */
function setUp(scheme: "http" | "https" = "http") {
  const time = new StillTime();
  const { wheel } = time;
  const rotates = { connectionLifetimeMs: 0, connectionRequestsMax: 0 };
  return {
    time,
    shared: {
      scheme,
      authorityOf: (authority: string) => authority,
      uploads: new Uploads(),
      stuck: new StuckReads(() => {}),
      rotation: new Rotation(rotates, { now: () => time.now, random: () => 0 }),
      departures: new Departures(wheel),
      wheel,
    },
  };
}

/** A POST of three bytes as Deno hands it over, answered at once with 503. */
function post(headers: Record<string, string>) {
  let stream!: ReadableStreamDefaultController<Uint8Array>;
  const { shared, time } = setUp();
  const body = new ReadableStream<Uint8Array>({ start: (it) => void (stream = it) });
  const request = new Request("http://weir.test/", {
    method: "POST",
    headers: { "content-length": "3", ...headers },
    body,
  });
  const answered: number[] = [];
  const handle = async (exchange: Exchange) => {
    answered.push(exchange.body!.length!);
    await exchange.respond({ status: 503, reason: "", headers: [] }, null);
    exchange.body!.cancel();
  };
  const response = new ServeExchange(request, peer, shared, null).run(handle);
  return { answered, response, stream, time };
}

Deno.test("a request of HTTP/2 is answered once its body has begun", async () => {
  const { answered, response, stream } = post({});
  await settled();
  assertEquals(answered, []);
  stream.enqueue(latin1("abc"));
  assertEquals([(await response).status, answered], [503, [3]]);
});

Deno.test("a request of HTTP/2 whose body takes longer is answered without it", async () => {
  const { answered, response, time } = post({});
  await settled();
  assertEquals(answered, []);
  time.pass(20);
  assertEquals([(await response).status, answered], [503, [3]]);
});

for (const headers of [{ host: "weir.test" }, { expect: "100-continue" }]) {
  Deno.test(`a request with ${Object.keys(headers)} is answered before its body has begun`, async () => {
    assertEquals((await post(headers).response).status, 503);
  });
}

for (
  const [asks, headers] of [["over HTTP/2", {}], ["with Upgrade", {
    host: "weir.test",
    upgrade: "x",
  }]] as const
) {
  Deno.test(`a client that asks ${asks} and leaves at once is noticed: Deno would not tell later`, () => {
    const { shared } = setUp();
    const client = new AbortController();
    const request = new Request("http://weir.test/", { headers, signal: client.signal });
    const exchange = new ServeExchange(request, peer, shared, null);
    exchange.run(() => new Promise(() => {}));
    let left = 0;
    exchange.listener = { clientLeft: () => left++ };
    client.abort();
    assertEquals([left, exchange.clientGone], [1, true]);
  });
}

for (const how of ["leaves", "is cut off"]) {
  Deno.test(`a client that ${how} while its WebSocket is prepared gets none: Deno would keep its connection`, async () => {
    const { shared } = setUp();
    const client = new AbortController();
    const headers = { host: "weir.test", upgrade: "websocket" };
    const request = new Request("http://weir.test/", { headers, signal: client.signal });
    const exchange = new ServeExchange(request, peer, shared, null);
    exchange.run(() => new Promise(() => {}));
    const accepted = exchange.acceptWebSocket([], null, { onMessage: () => {}, onClosed: () => {} });
    if (how === "leaves") client.abort();
    else shared.departures.leave();
    assertEquals(await accepted, null);
  });
}

Deno.test("the end of a request with Upgrade makes no other one unheard", async () => {
  const { shared, time } = setUp();
  const begin = (headers: Record<string, string>, signal: AbortSignal, handled: Promise<void>) => {
    const exchange = new ServeExchange(
      new Request("http://weir.test/", { headers: { host: "weir.test", ...headers }, signal }),
      peer,
      shared,
      null,
    );
    exchange.run(() => handled);
    return exchange;
  };
  const client = new AbortController();
  const waits = begin({}, client.signal, new Promise(() => {}));
  begin({ upgrade: "x" }, new AbortController().signal, Promise.resolve());
  await settled();
  await time.run(100);
  client.abort();
  assertEquals(waits.clientGone, true);
});

/** A body of four bytes that are all here, and of which the head said `length`. */
function lentBody(length: number | null): Body {
  const bytes = latin1("body");
  return {
    length,
    read: () => Promise.reject(new Error("read")),
    takeWhole: () => null,
    copyWhole: () => -1,
    lendWhole(use) {
      use(bytes);
      // As when the connection to the endpoint is read into again.
      bytes.fill(0);
      return bytes.length;
    },
    cancel: () => {},
  };
}

/** What is answered with it. */
async function answered(length: number | null, headers: Record<string, string>) {
  const lines = length === null ? [] : ["Content-Length", String(length)];
  const { shared } = setUp();
  let delivery: unknown;
  const exchange = new ServeExchange(new Request("http://weir.test/", { headers }), peer, shared, null);
  const response = await exchange.run(async (exchange) => {
    delivery = await exchange.respond({ status: 200, reason: "", headers: lines }, lentBody(length));
  });
  assertEquals([await response.text(), delivery], ["body", { kind: "complete", bytes: 4 }]);
  return [...response.headers];
}

Deno.test("an answer that is here is sent whole: chunks as chunks, a length as what Deno counts", async () => {
  const host = { host: "weir.test" };
  assertEquals(await answered(null, host), [["transfer-encoding", "chunked"]]);
  assertEquals(await answered(4, host), []);
  // HTTP/2: RFC 9113 8.2.2.
  assertEquals(await answered(null, {}), []);
});

type Handler = (exchange: Exchange) => void | Promise<void>;

/** A request that `handle` answers or does not; over HTTP/1.1, unless `headers` has no Host. */
function asked(
  handle: Handler,
  init: RequestInit = {},
  headers: Record<string, string> = { host: "a.test" },
) {
  const { shared, time } = setUp();
  const exchange = new ServeExchange(
    new Request("http://weir.test/", { ...init, headers }),
    peer,
    shared,
    null,
  );
  return { exchange, response: exchange.run(async (it) => await handle(it)), shared, time };
}

const never = () => new Promise<void>(() => {});

Deno.test("a request that nobody answered is given up, as Deno would hold it for good", async () => {
  assertEquals((await asked(() => {}).response).status, 500);
});

Deno.test("a client that is cut gets no answer where there was none", async () => {
  const { promise: cut, resolve } = Promise.withResolvers<void>();
  const { response, shared } = asked(() => cut);
  let answered = false;
  response.then(() => answered = true);
  shared.departures.leave();
  resolve();
  await settled();
  assertEquals(answered, false);
});

for (const headers of [{ host: "a.test" }, {}]) {
  Deno.test(`of a client with ${Object.keys(headers).length} fields that leaves is told once, and not once it has its answer`, async () => {
    let left = 0;
    const listener = { clientLeft: () => left++ };
    const client = new AbortController();
    const waits = asked(never, { signal: client.signal }, headers);
    const has = asked((it) => void it.respond({ status: 204, reason: "", headers: [] }, null), {}, headers);
    await has.response;
    waits.exchange.listener = has.exchange.listener = listener;
    // Over HTTP/1.1 it is asked later whether it is there.
    client.abort();
    await waits.time.run(100);
    assertEquals(left, 1);
    for (const { shared } of [waits, has]) shared.departures.leave();
    assertEquals([left, waits.exchange.clientGone, has.exchange.clientGone], [1, true, false]);
  });
}

for (const [version, headers, shared] of [["1.1", { host: "a.test" }, true], ["2", {}, false]] as const) {
  Deno.test(`answers of HTTP/${version} ${shared ? "share" : "do not share"} their memory: who opens no window has none in the kernel`, async () => {
    const whole = () =>
      asked((it) => void it.respond({ status: 200, reason: "", headers: [] }, lentBody(4)), {}, headers)
        .response;
    const [one, other] = await Promise.all([whole(), whole()]);
    assertEquals(heldBytes(one).buffer === heldBytes(other).buffer, shared);
  });
}

/** A body that a test ends. */
function upload() {
  let stream!: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({ start: (it) => void (stream = it) });
  return { init: { method: "POST", body }, stream };
}

Deno.test("an upload counts until it has ended, and no longer", async () => {
  const { init, stream } = upload();
  const { exchange, shared } = asked(never, init, { host: "a.test", "content-length": "3" });
  let none = false;
  shared.uploads.none().then(() => none = true);
  stream.enqueue(latin1("abc"));
  await exchange.body!.read();
  assertEquals(none, false);
  stream.close();
  await exchange.body!.read();
  await settled();
  assertEquals(none, true);
});

Deno.test("a request of HTTP/2 whose body has no byte has none", async () => {
  const { init, stream } = upload();
  stream.close();
  const bodies: unknown[] = [];
  const { response } = asked((it) => void bodies.push(it.body), init, {});
  await response;
  assertEquals(bodies, [null]);
});

Deno.test("a client of HTTP/2 that leaves before its body has begun has left", async () => {
  const { init, stream } = upload();
  stream.error(new Error("BadResource"));
  const gone: boolean[] = [];
  await asked((it) => void gone.push(it.clientGone), init, {}).response;
  assertEquals(gone, [true]);
});

for (const [method, status] of [["HEAD", 200], ["GET", 204], ["GET", 304], ["GET", 205]] as const) {
  Deno.test(`nobody reads the body of an answer of ${status} to ${method}`, async () => {
    const body = new ToldBody(3);
    await asked((it) => void it.respond({ status, reason: "", headers: [] }, body), { method }).response;
    assertEquals(body.cancelled, true);
  });
}

Deno.test("an answer asks its client to leave once, over HTTP/1.1 only: the proxy asks, or the listener leaves", async () => {
  const asks: (string | null)[] = [];
  for (const headers of [{ host: "a.test" }, {}]) {
    for (
      const [leaving, lines] of [[false, []], [false, ["Connection", "close"]], [true, []], [true, [
        "Connection",
        "close",
      ]]] as const
    ) {
      const go = Promise.withResolvers<void>();
      const { response, shared } = asked(
        async (it) => {
          await go.promise;
          await it.respond({ status: 204, reason: "", headers: [...lines] }, null);
        },
        {},
        headers,
      );
      shared.uploads.leaving = leaving;
      go.resolve();
      asks.push((await response).headers.get("connection"));
    }
  }
  assertEquals(asks, [null, "close", "close", "close", null, null, null, null]);
});

for (const [version, headers] of [["1.1", { host: "a.test" }], ["2", {}]] as const) {
  Deno.test(`an answer over HTTP/${version} that breaks off before its upload has ended is cut ${version === "2" ? "at once" : "behind the next piece"}`, async () => {
    const { init, stream } = upload();
    const answer = new ToldBody(null);
    const { exchange, response } = asked(
      async (it) => {
        await it.respond({ status: 200, reason: "", headers: [] }, answer);
      },
      init,
      { ...headers, "content-length": "100" },
    );
    stream.enqueue(latin1("some"));
    const { body } = await response;
    await exchange.body!.read();
    const reading = exchange.body!.read().catch(() => null);
    answer.tell(new Error("reset"));
    let cut = false;
    const end = body!.getReader().read().catch(() => cut = true);
    await settled();
    assertEquals(cut, version === "2");
    stream.enqueue(latin1("more"));
    await Promise.all([reading, end]);
    assertEquals(cut, true);
  });
}

Deno.test("an answer of unknown length waits a moment for its end, over TLS only, and its memory is used again", async () => {
  const answered: boolean[] = [];
  const { kept } = PIECES;
  for (const scheme of ["http", "https"] as const) {
    const { shared, time } = setUp(scheme);
    const body = new ToldBody(null);
    let has = false;
    const response = new ServeExchange(new Request("http://weir.test/"), peer, shared, null).run(
      async (it) => {
        await it.respond({ status: 200, reason: "", headers: [] }, body);
      },
    );
    response.then(() => has = true);
    body.tell("all");
    await time.pass(9);
    answered.push(has);
    body.tell(null);
    assertEquals(await (await response).text(), "all");
  }
  assertEquals([answered, PIECES.kept], [[true, false], kept + 1]);
});
