// A request that may have been processed is repeated only when its method allows it (RFC 9110 9.2.2).

import { assertEquals } from "@std/assert";
import { requestText } from "../support/raw_client.ts";
import { close, Gate, hang, reply, replyRaw, reset, scene, type Step, wait } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";

const deaths: Record<string, Step> = {
  "resets before its answer": reset(),
  "closes before its answer": close(),
  "dies within the head of its answer": scene(replyRaw("HTTP/1.1 200 OK\r\nX-A: "), reset()),
};

for (const [what, death] of Object.entries(deaths)) {
  scenario(`a POST to an origin that ${what} on a used connection is sent once`, async (props) => {
    const origin = await props.origin([reply(200), death, reply(200)]);
    const weir = await props.loop({ upstreams: origin.url });
    const client = await props.client(weir);
    await client.send(requestText("GET", "/warm"));
    await client.response();
    await client.send(requestText("POST", "/order", [], "one"));
    assertEquals((await client.response()).status, 502);
    assertEquals(origin.requests.map(({ method }) => method), ["GET", "POST"]);
    assertEquals(origin.connections.length, 1);
  });
}

scenario("a GET that a used connection loses before the first answer byte is sent again", async (props) => {
  const origin = await props.origin([reply(200), reset(), reply(200, { body: "second try" })]);
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/warm"));
  await client.response();
  await client.send(requestText("GET", "/lost"));
  assertEquals((await client.response()).text, "second try");
  assertEquals(origin.requests.map(({ target }) => target), ["/warm", "/lost", "/lost"]);
});

const late = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n";
const crossings: Record<string, readonly [method: string, warm: boolean, answer: string, status: number]> = {
  "a GET on a kept connection goes on elsewhere": ["GET", true, `${late}Connection: close\r\n\r\n`, 200],
  "a PUT on a kept connection goes on elsewhere": ["PUT", true, `${late}Connection: close\r\n\r\n`, 200],
  "a POST on a kept connection is sent once": ["POST", true, `${late}Connection: close\r\n\r\n`, 408],
  "a GET on a new connection is its answer": ["GET", false, `${late}Connection: close\r\n\r\n`, 408],
  "a GET is its answer where the connection lives on": ["GET", true, `${late}\r\n`, 408],
};

for (const [what, [method, warm, answer, status]] of Object.entries(crossings)) {
  scenario(`an endpoint's 408 to ${what}`, async (props) => {
    const before = warm ? [reply(200)] : [];
    const origin = await props.origin([...before, replyRaw(answer), reply(200), reply(200)]);
    const weir = await props.loop({ upstreams: origin.url });
    const client = await props.client(weir);
    if (warm) {
      await client.send(requestText("GET", "/warm"));
      await client.response();
    }
    await client.send(requestText(method, "/order", [], method === "GET" ? undefined : "one"));
    assertEquals((await client.response()).status, status);
    assertEquals(origin.requests.length, before.length + (status === 200 ? 2 : 1));
    assertEquals(weir.upstreamTotal("retryReused"), status === 200 ? 1 : 0);
  });
}

scenario("what one dead kept connection has lost is not sent on another kept one", async (props) => {
  const gate = new Gate();
  const kept = 3;
  const warm = Array.from({ length: kept }, () => scene(wait(gate), reply(200)));
  const origin = await props.origin([
    ...warm,
    reset(),
    reply(200, { body: "second try" }),
    reset(),
    reply(200),
  ]);
  const weir = await props.loop({ upstreams: origin.url });
  const clients = await Promise.all(warm.map(() => props.client(weir)));
  for (const client of clients) await client.send(requestText("GET", "/warm"));
  await origin.request(kept);
  gate.open();
  for (const client of clients) await client.response();
  const [client] = clients;
  await client!.send(requestText("GET", "/lost"));
  assertEquals((await client!.response()).text, "second try");
  assertEquals((await origin.request(kept + 2)).connection.number, kept + 1);
  await client!.send(requestText("POST", "/order", [], "one"));
  assertEquals((await client!.response()).status, 502);
  assertEquals(origin.requests.slice(kept).map(({ target }) => target), ["/lost", "/lost", "/order"]);
});

scenario("a POST moves on from an endpoint that refuses the connection", async (props) => {
  const dead = await props.origin(hang());
  const alive = await props.origin(reply(200, { body: "alive" }));
  await dead.stop();
  const weir = await props.loop({ upstreams: [dead.url, alive.url] });
  for (let n = 1; n <= 4; n++) {
    const client = await props.client(weir);
    await client.send(requestText("POST", "/order", [], `order ${n}`));
    assertEquals((await client.response()).text, "alive");
    assertEquals(await (await alive.request(n)).text(), `order ${n}`);
  }
});

/** Whether the operator lets an Idempotency-Key count, the one of the request -> how often it is sent. */
const keys = [[true, "1", 2], [true, "", 1], [true, null, 1], [false, "1", 1]] as const;

for (const [idempotencyKey, key, times] of keys) {
  const what = key === null ? "without an Idempotency-Key" : `with an Idempotency-Key of '${key}'`;
  scenario(
    `a POST ${what}, where idempotencyKey is ${idempotencyKey}, is sent ${times === 2 ? "again" : "once"}`,
    async (props) => {
      const origin = await props.origin([reset(), reply(200)]);
      const endpoints = [origin.url];
      const weir = await props.loop({
        config: { upstreams: { default: { endpoints, retry: { idempotencyKey } } } },
      });
      const client = await props.client(weir);
      const headers: [string, string][] = key === null ? [] : [["Idempotency-Key", key]];
      await client.send(requestText("POST", "/order", headers, "one"));
      assertEquals((await client.response()).status, times === 2 ? 200 : 502);
      assertEquals(origin.requests.length, times);
    },
  );
}

for (const [bytes, times] of [[1_000, 2], [1_001, 1]] as const) {
  scenario(
    `a PUT of ${bytes} bytes, of which 1000 may be kept, is sent ${times === 2 ? "again" : "once"}`,
    async (props) => {
      const origin = await props.origin([reset(), reply(200)]);
      const endpoints = [origin.url];
      const weir = await props.loop({
        config: { upstreams: { default: { endpoints, retry: { bodyKeptBytesMax: 1_000 } } } },
      });
      const client = await props.client(weir);
      await client.send(requestText("PUT", "/file", [], "x".repeat(bytes)));
      assertEquals((await client.response()).status, times === 2 ? 200 : 502);
      assertEquals(origin.requests.length, times);
      if (times === 2) assertEquals(await (await origin.request(2)).text(), "x".repeat(bytes));
    },
  );
}
