// An answer that the origin did not finish must not look finished to the client (RFC 9112 6.3, 8).

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { type RawClient, requestText } from "../support/raw_client.ts";
import { fromLatin1 } from "../support/raw_http.ts";
import {
  afterHead,
  close,
  Gate,
  hang,
  head,
  reply,
  replyRaw,
  reset,
  scene,
  type Step,
  wait,
} from "../support/raw_origin.ts";
import { ALL_BUT_SERVE, scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

const known = scene(head(200, [["Content-Length", "100"]]), replyRaw("half"));
const chunked = scene(head(200, [["Transfer-Encoding", "chunked"]]), replyRaw("4\r\nhalf\r\n"));

const breaks: Record<string, (gate: Gate) => Step> = {
  "closes before the declared length": (gate) => scene(known, wait(gate), close()),
  "resets before the declared length": (gate) => scene(known, wait(gate), reset()),
  "closes before the last chunk": (gate) => scene(chunked, wait(gate), close()),
  "closes within a chunk": (gate) => scene(chunked, wait(gate), replyRaw("9\r\nhal"), close()),
  "breaks the chunk framing": (gate) => scene(chunked, wait(gate), replyRaw("zz\r\n")),
  "resets within chunks": (gate) => scene(chunked, wait(gate), reset()),
};

for (const [what, script] of Object.entries(breaks)) {
  scenario(`the client sees a cut when the origin ${what}`, async (props) => {
    const gate = new Gate();
    const origin = await props.origin(script(gate));
    const weir = await props.loop({ upstreams: origin.url });
    const client = await props.client(weir);
    await client.send(requestText("GET", "/"));
    assertNotEquals(await client.head(), null);
    await untilSeen(client, "half");
    gate.open();
    const rest = await client.untilClosed();
    assert(rest.length < 96 && !rest.endsWith("0\r\n\r\n"), `looks finished: ${rest}`);
    assertEquals(origin.requests.length, 1);
    await until("it is logged", () => weir.log.length === 1);
    const { end, cause } = JSON.parse(weir.log[0]!);
    assertEquals({ end, cause }, { end: "truncated", cause: "http_response_incomplete" });
    const counted = (["gatewayFailures", "resets", "malformed", "timeouts"] as const)
      .map((field) => weir.endpointTotal(origin.url, field));
    assertEquals(counted, what === "breaks the chunk framing" ? [1, 0, 1, 0] : [1, 1, 0, 0]);
  });
}

scenario("an answer whose origin falls silent is cut, and counted as a timeout", async (props) => {
  const origin = await props.origin(scene(known, hang()));
  const timeouts = { responseBodyIdleMs: 100 };
  const weir = await props.loop({
    config: { upstreams: { default: { endpoints: [origin.url], timeouts } } },
  });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/"));
  assert((await client.untilClosed()).length < 200);
  await until("it is logged", () => weir.log.length === 1);
  const { end, cause } = JSON.parse(weir.log[0]!);
  assertEquals({ end, cause }, { end: "truncated", cause: "http_response_incomplete" });
  const counted = (["gatewayFailures", "resets", "timeouts"] as const)
    .map((field) => weir.endpointTotal(origin.url, field));
  assertEquals(counted, [1, 0, 1]);
});

for (
  const [framing, wrong] of [
    ["chunks", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n"],
    ["declared length", "Content-Length: 100\r\n\r\nhalf"],
  ] as const
) {
  scenario(`the client gets all that came before what the origin got wrong (${framing})`, async (props) => {
    const origin = await props.origin(scene(replyRaw(`HTTP/1.1 200 OK\r\n${wrong}`), close()));
    const weir = await props.loop({ upstreams: origin.url });
    const client = await props.client(weir);
    await client.send(requestText("GET", "/"));
    assertNotEquals(await client.head(), null);
    const rest = await client.untilClosed();
    assert(rest.includes("half") && !rest.endsWith("0\r\n\r\n"), `lost, or looks finished: ${rest}`);
  });
}

for (const [framing, beginning] of [["declared length", known], ["chunks", chunked]] as const) {
  scenario(
    `the client sees a cut when an early answer to its upload breaks off (${framing})`,
    async (props) => {
      const gate = new Gate();
      const origin = await props.origin(afterHead(beginning, wait(gate), close()));
      const weir = await props.loop({ upstreams: origin.url });
      const client = await props.client(weir);
      await client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000\r\n\r\n");
      assertNotEquals(await client.head(), null);
      await untilSeen(client, "half");
      gate.open();
      await until("it is logged", () => weir.log.length === 1);
      const { end, cause } = JSON.parse(weir.log[0]!);
      assertEquals({ end, cause }, { end: "truncated", cause: "http_response_incomplete" });
      // Deno.serve cuts no connection while it waits for more of a request's body.
      if (props.listener === "serve") await client.send("more");
      assert((await client.untilClosed()).length < 96);
    },
  );
}

async function untilSeen(client: RawClient, text: string): Promise<void> {
  for (let seen = ""; !seen.includes(text);) {
    const piece = await client.some();
    assert(piece !== null, `the connection ended after ${seen}`);
    seen += fromLatin1(piece);
  }
}

scenario("an answer that is cut takes none away that was sent before it", async (props) => {
  // More than the client's system takes before the client reads, less than Weir's takes at once.
  const body = "b".repeat(400_000);
  const origin = await props.origin([reply(200, { body }), scene(chunked, close())]);
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  // Weir reads nothing of the last ones: closing over them would reset the connection.
  await client.send(requestText("GET", "/").repeat(200));
  await until("the cut is logged", () => weir.log.length === 2);
  assertEquals((await client.response()).text.length, body.length);
  assertNotEquals(await client.head(), null);
}, { listeners: ALL_BUT_SERVE });
