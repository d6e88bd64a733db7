// What Weir tells an origin of the client, and whom it believes (RFC 9110 7.6.3, RFC 7239).

import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { requestText } from "../support/raw_client.ts";
import { type Answer, reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

const claims: Answer["headers"] = [
  ["X-Forwarded-For", "192.0.2.7"],
  ["X-Forwarded-For", "198.51.100.1"],
  ["X-Forwarded-Host", "public.test"],
  ["X-Forwarded-Host", "between.test"],
  ["X-Forwarded-Proto", "https"],
  ["X-Forwarded-Prefix", "/told"],
  ["X-Request-Id", "told-by-the-client"],
];

const trusting = { trustedProxies: ["127.0.0.0/8"] };
const anyone = { headers: { requestIdFrom: "anyone" } };
const whoseId: readonly [Record<string, unknown>, NonNullable<Answer["headers"]>, boolean][] = [
  [{}, [["X-Request-Id", "abc"]], false],
  [trusting, [["X-Request-Id", "abc"]], true],
  [anyone, [["X-Request-Id", "abc"]], true],
  [anyone, [["X-Request-Id", "two words"]], false],
  [anyone, [["X-Request-Id", "abc"], ["X-Request-Id", "abc"]], false],
  [anyone, [["X-Request-Id", "w".repeat(129)]], false],
];

scenario("a stranger's X-Forwarded fields are replaced", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/", claims));
  await client.response();
  const request = await origin.request(1);
  assertEquals(request.headerAll("x-forwarded-for"), ["127.0.0.1"]);
  assertEquals(request.headerAll("x-forwarded-host"), ["weir.test"]);
  assertEquals(request.headerAll("x-forwarded-proto"), ["http"]);
  assertEquals(request.headerAll("x-forwarded-prefix"), []);
  const [id, ...more] = request.headerAll("x-request-id");
  assertEquals([id?.includes("told-by"), more], [false, []]);
});

scenario(
  "an IPv4 client of a dual-stack listener has one address for the log and for origins",
  async (props) => {
    const origin = await props.origin(reply(200));
    for (const forwarded of [false, true]) {
      const config = { headers: { forwarded } };
      const weir = await props.loop({ upstreams: origin.url, host: "::", config });
      const client = await props.client(weir);
      await client.send(requestText("GET", "/"));
      await client.response();
      const request = origin.requests.at(-1)!;
      assertEquals(request.headerAll("x-forwarded-for"), ["127.0.0.1"]);
      assertEquals(request.header("forwarded")?.split(";")[0], forwarded ? "for=127.0.0.1" : undefined);
      await until("it is logged", () => weir.log.length > 0);
      assertEquals(JSON.parse(weir.log[0]!).client, "127.0.0.1");
    }
  },
);

for (const [config, headers, kept] of whoseId) {
  scenario(
    `a request id is ${kept ? "kept" : "made"} with ${JSON.stringify([config, headers])}`,
    async (props) => {
      const origin = await props.origin(reply(200));
      const weir = await props.loop({ upstreams: origin.url, config });
      const client = await props.client(weir);
      await client.send(requestText("GET", "/", headers));
      await client.response();
      const ids = (await origin.request(1)).headerAll("x-request-id");
      assertEquals([ids.length, ids[0] === headers[0]![1]], [1, kept]);
    },
  );
}

const capitals = { requestId: "X-Correlation-ID" };
for (const [config, kept] of [[{}, false], [trusting, true]] as const) {
  scenario(
    `under a name with capitals a request id is ${kept ? "kept" : "made"}, and told in refusals`,
    async (props) => {
      const origin = await props.origin(reply(200));
      const routes = [{ match: { path: "/" }, upstream: "default" }];
      const weir = await props.loop({
        upstreams: origin.url,
        config: { ...config, headers: capitals, routes },
      });
      const client = await props.client(weir);
      const claimed: Answer["headers"] = [["x-correlation-id", "mine"], ["X_Correlation_ID", "other"]];
      await client.send(requestText("GET", "/", claimed));
      await client.response();
      const request = await origin.request(1);
      const [id, ...more] = request.headerAll("x-correlation-id");
      assertEquals([id === "mine", more, request.headerAll("x_correlation_id")], [kept, [], []]);
      await client.send(requestText("GET", "/elsewhere", claimed));
      const refused = await client.response();
      assertEquals([refused.status, refused.headerAll("x-request-id")], [404, []]);
      assertEquals(refused.header("x-correlation-id") === "mine", kept);
      assertMatch(refused.header("x-correlation-id") ?? "", /^\S+$/);
    },
  );
}

scenario("a trusted peer's X-Forwarded fields are kept, and it is added to the list", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url, config: { trustedProxies: ["127.0.0.0/8"] } });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/", claims));
  await client.response();
  const request = await origin.request(1);
  assertEquals(request.headerAll("x-forwarded-for").join(", "), "192.0.2.7, 198.51.100.1, 127.0.0.1");
  assertEquals(request.headerAll("x-forwarded-host"), ["public.test, between.test"]);
  assertEquals(request.headerAll("x-forwarded-proto"), ["https"]);
  assertEquals(request.headerAll("x-request-id"), ["told-by-the-client"]);
});

const claimed = "for=192.0.2.9;proto=https";
const alike: Answer["headers"] = [["X-Forwarded-For", "192.0.2.9"], ["X-Forwarded-Proto", "https"]];
const chains: Record<string, [headers: NonNullable<Answer["headers"]>, asked: string | undefined]> = {
  "Forwarded": [[["Forwarded", claimed]], claimed],
  "X-Forwarded fields": [alike, undefined],
  "X-Forwarded fields, and not its client's Forwarded,": [
    [["Forwarded", "for=192.0.2.1"], ...alike],
    undefined,
  ],
};
for (const [what, [headers, asked]] of Object.entries(chains)) {
  scenario(`a trusted peer's ${what} count, and go on in both forms`, async (props) => {
    const both = `${claimed}, for=127.0.0.1;host="weir.test";proto=http`;
    const origin = await props.origin(reply(200));
    for (const forwarded of [false, true]) {
      const config = { ...trusting, headers: { forwarded } };
      const weir = await props.loop({ upstreams: origin.url, config });
      const client = await props.client(weir);
      await client.send(requestText("GET", "/", headers));
      await client.response();
      const request = origin.requests.at(-1)!;
      assertEquals(request.headerAll("x-forwarded-for"), ["192.0.2.9, 127.0.0.1"]);
      assertEquals(request.headerAll("x-forwarded-proto"), ["https"]);
      assertEquals(request.header("forwarded"), forwarded ? both : asked);
      await until("it is logged", () => weir.log.length > 0);
      assertEquals(JSON.parse(weir.log[0]!).client, "192.0.2.9");
    }
  });
}

scenario("every request carries Via and a request id", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/", [["Via", "1.0 before"]]));
  await client.response();
  await client.send(requestText("GET", "/"));
  await client.response();
  const [first, second] = [await origin.request(1), await origin.request(2)];
  assertMatch(first.headerAll("via").join(", "), /^1\.0 before, 1\.1 weir\S*$/);
  assertMatch(first.header("x-request-id") ?? "", /^\S{8,}$/);
  assertNotEquals(first.header("x-request-id"), second.header("x-request-id"));
});

scenario("two tiers of Weir pass, a loop is refused", async (props) => {
  const origin = await props.origin(reply(200));
  const inner = await props.loop({ upstreams: origin.url });
  const outer = await props.loop({ upstreams: inner.url });
  const client = await props.client(outer);
  await client.send(requestText("GET", "/"));
  assertEquals((await client.response()).status, 200);
  const via = (await origin.request(1)).headerAll("via").join(", ");
  await client.send(requestText("GET", "/", [["Via", via]]));
  assertEquals((await client.response()).status, 508);
  assertEquals(origin.requests.length, 1);
});
