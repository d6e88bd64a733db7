import { assertEquals } from "@std/assert";
import type { Exchange } from "../../src/exchange.ts";
import { Rotation } from "../../src/listener/rotation.ts";
import { Departures } from "../../src/listener/serve_departures.ts";
import { ServeExchange } from "../../src/listener/serve_exchange.ts";
import { Uploads } from "../../src/listener/serve_uploads.ts";
import { TimerWheel } from "../../src/timer_wheel.ts";
import { latin1 } from "../support/raw_http.ts";

/** A POST of three bytes as Deno hands it over, answered at once with 503, on a clock that only the test moves. */
function post(headers: Record<string, string>) {
  let now = 0;
  let stream!: ReadableStreamDefaultController<Uint8Array>;
  const wheel = new TimerWheel({ now: () => now, every: () => () => {} });
  const rotates = { connectionLifetimeMs: 0, connectionRequestsMax: 0 };
  const shared = {
    scheme: "http" as const,
    authorityOf: (authority: string) => authority,
    uploads: new Uploads(),
    rotation: new Rotation(rotates, { now: () => now, random: () => 0 }),
    departures: new Departures(wheel),
    wheel,
  };
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
  const peer = { hostname: "127.0.0.1", port: 1 };
  const response = new ServeExchange(request, peer, shared, null).run(handle);
  return {
    answered,
    response,
    stream,
    passes(ms: number): void {
      now += ms;
      wheel.advance();
    },
  };
}

Deno.test("a request of HTTP/2 is answered once its body has begun", async () => {
  const { answered, response, stream } = post({});
  for (let turn = 0; turn < 20; turn++) await null;
  assertEquals(answered, []);
  stream.enqueue(latin1("abc"));
  assertEquals([(await response).status, answered], [503, [3]]);
});

Deno.test("a request of HTTP/2 whose body takes longer is answered without it", async () => {
  const { answered, response, passes } = post({});
  for (let turn = 0; turn < 20; turn++) await null;
  assertEquals(answered, []);
  passes(20);
  assertEquals([(await response).status, answered], [503, [3]]);
});

for (const headers of [{ host: "weir.test" }, { expect: "100-continue" }]) {
  Deno.test(`a request with ${Object.keys(headers)} is answered before its body has begun`, async () => {
    assertEquals((await post(headers).response).status, 503);
  });
}
