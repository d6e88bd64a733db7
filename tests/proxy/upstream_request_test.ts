// The short way of a request's lines to the next hop leads to the same place as the long one.

import { assert, assertEquals } from "@std/assert";
import { configSchema } from "../../src/config/schema.ts";
import { headerValues, type RequestHead } from "../../src/exchange.ts";
import { takeApart } from "../../src/http1/fields.ts";
import { TrustedProxies } from "../../src/proxy/client_address.ts";
import { toldBy } from "../../src/proxy/forwarded_fields.ts";
import { toUpstream } from "../../src/proxy/headers.ts";
import { Identity } from "../../src/proxy/identity.ts";
import { toUpstreamText } from "../../src/proxy/upstream_request.ts";
import { requestHead, STRANGER } from "../support/request_head.ts";

const { headers: config } = configSchema.parse({ upstreams: {} });

function headOf(headers: string[], changes: Partial<RequestHead> = {}): RequestHead {
  return requestHead({ headers, ...changes });
}

Deno.test("a request whose lines all pass goes on as one text, with what Weir sets", () => {
  const identity = new Identity("weir-1", config);
  const head = headOf([
    "Host",
    "a.test",
    "Connection",
    "keep-alive",
    "Accept",
    "*/*",
    "X-Forwarded-For",
    "10.9.9.9",
  ]);
  assertEquals(
    toUpstreamText(head, STRANGER, identity),
    "Accept: */*\r\nVia: 1.1 weir-1\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Host: a.test\r\n" +
      "X-Forwarded-Proto: http\r\nx-request-id: id-1\r\n",
  );
});

Deno.test("what Weir says of a client is that client's, whoever came before from the same address", () => {
  const identity = new Identity("weir-1", config);
  const ways: Partial<RequestHead>[] = [
    {},
    { authority: "b.test" },
    { scheme: "https" },
    { version: "1.0" },
    { version: "2", scheme: "https", authority: "b.test" },
    {},
  ];
  for (const peer of ["192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.1"]) {
    for (const way of ways) {
      const head = headOf(["Accept", "*/*"], way);
      const asker = { ...STRANGER, peer };
      const text = toUpstreamText(head, asker, identity)!;
      assertEquals(takeApart(text!), toUpstream(head, asker, identity));
    }
  }
});

Deno.test("the short way and the long way say the same to the endpoint, whatever the client says", () => {
  const identity = new Identity("weir-1", config);
  let chance = 5;
  const below = (n: number) => (chance = (chance * 48_271) % 2_147_483_647) % n;
  const pool: readonly (readonly [string, string])[] = [
    ["Host", "a.test"],
    ["Connection", "keep-alive"],
    ["Connection", "close"],
    ["connection", "X-Hop"],
    ["X-Hop", "named"],
    ["Accept", "*/*"],
    ["Cookie", "a=1"],
    ["Via", "1.0 elsewhere"],
    ["Date", "today"],
    ["Expect", "100-continue"],
    ["Max-Forwards", "3"],
    ["Content-Length", "5"],
    ["Transfer-Encoding", "chunked"],
    ["TE", "trailers"],
    ["Trailer", "X-Sum"],
    ["Upgrade", "h2c"],
    ["X-Forwarded-For", "10.0.0.1"],
    ["X_Forwarded_For", "10.0.0.2"],
    ["some_name", "1"],
    ["X-Request-Id", "theirs"],
    ["x_request_id", "theirs"],
    ["Forwarded", "for=10.0.0.3"],
    ["X-Real-IP", "10.0.0.4"],
    ["X-Forwarded-Prefix", "/a"],
    ["Proxy-Authorization", "Basic eA=="],
    ["Content-Type", "text/plain"],
  ];
  let short = 0;
  for (let round = 0; round < 20_000; round++) {
    const head = headOf(Array.from({ length: below(8) }, () => pool[below(pool.length)]!).flat());
    const asker = { ...STRANGER, relaysTrailers: round % 2 === 0 };
    const text = toUpstreamText(head, asker, identity);
    if (text === null) continue;
    short++;
    assertEquals(takeApart(text!), toUpstream(head, asker, identity), head.headers.join());
  }
  assert(short > 5_000, `${short} went the short way`);
  const capitals = new Identity("w", { ...config, requestId: "X-Request-ID" });
  const forged = headOf(["x-request-id", "theirs"]);
  assertEquals(
    takeApart(toUpstreamText(forged, STRANGER, capitals)!),
    toUpstream(forged, STRANGER, capitals),
  );
  assertEquals(headerValues(toUpstream(forged, STRANGER, capitals), "x-request-id"), ["id-1"]);
  const told = toldBy("192.0.2.1", [], new TrustedProxies(["192.0.2.1"]), config);
  assertEquals(toUpstreamText(headOf([]), { ...STRANGER, told }, identity), null);
  assertEquals(toUpstreamText(headOf([]), STRANGER, new Identity("w", { ...config, forwarded: true })), null);
});
