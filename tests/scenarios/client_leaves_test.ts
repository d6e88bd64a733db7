// A client that goes away, or stops reading, stops the work that was for it.

import http2 from "node:http2";
import { assert, assertEquals } from "@std/assert";
import { requestText } from "../support/raw_client.ts";
import { startBlackHole } from "../support/black_hole.ts";
import { flood, hang, head, reply, reset, scene, stall } from "../support/raw_origin.ts";
import { ALL_BUT_SERVE, scenario } from "../support/scenario.ts";
import { standstill, until } from "../support/until.ts";

const gigabyte = 1_000_000_000;
const download = scene(head(200, [["Content-Length", String(gigabyte)]]), flood(gigabyte));

scenario("a client that leaves while it waits takes its upstream request with it", async (props) => {
  for (const leave of ["close", "reset"] as const) {
    const origin = await props.origin(hang());
    const weir = await props.loop({ upstreams: origin.url });
    const client = await props.client(weir);
    await client.send(requestText("GET", "/"));
    const { connection } = await origin.request(1);
    await client[leave]();
    await connection.left;
    assertEquals(origin.requests.length, 1);
  }
});

scenario("no request goes on without its client's address, however soon the client resets", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.weir({ upstreams: origin.url });
  weir.signal("SIGSTOP");
  for (const target of ["/1", "/2"]) {
    const client = await props.client(weir);
    await client.send(requestText("POST", target, [], "x"));
    await client.reset();
  }
  const next = await props.client(weir);
  await next.send(requestText("GET", "/next"));
  weir.signal("SIGCONT");
  assertEquals((await next.response()).status, 200);
  await weir.stop();
  // One that came while not all threads stood still yet was seen.
  const strangers = origin.requests.filter((request) => request.header("x-forwarded-for") !== "127.0.0.1");
  assertEquals(strangers.map(({ target }) => target), []);
  assertEquals(weir.stdout.filter((line) => line.includes('"client":"0.0.0.0"')), []);
});

scenario(
  "a client over HTTP/2 that takes its request back at once takes its upstream request with it",
  async (props) => {
    const origin = await props.origin(hang());
    const loop = await props.loop({ upstreams: origin.url });
    const session = http2.connect(loop.url);
    for (const [i, leave] of (["cancel", "close"] as const).entries()) {
      const stream = session.request({ ":path": "/" }).on("error", () => {});
      const { connection } = await origin.request(i + 1);
      if (leave === "cancel") stream.close(http2.constants.NGHTTP2_CANCEL);
      else session.destroy();
      await connection.left;
    }
    assertEquals(origin.requests.length, 2);
  },
  { listeners: ["serve"] },
);

scenario("a client that leaves while its retry waits is let go and logged at once", async (props) => {
  const origin = await props.origin(reset());
  const retry = { backoffBaseMs: 60_000, backoffCapMs: 60_000 };
  const loop = await props.loop({ config: { upstreams: { default: { endpoints: [origin.url], retry } } } });
  const client = await props.client(loop);
  await client.send(requestText("GET", "/"));
  await until("its retry waits", () => loop.upstreamTotal("retries") === 1);
  await client.reset();
  await until("it is logged", () => loop.log.length === 1);
  assertEquals(JSON.parse(loop.log[0]!).end, "clientGone");
  assertEquals(origin.requests.length, 1);
});

scenario("a client that leaves while its request connects is let go and logged at once", async (props) => {
  await using hole = await startBlackHole();
  const timeouts = { connectMs: 60_000 };
  const loop = await props.loop({ config: { upstreams: { default: { endpoints: [hole.url], timeouts } } } });
  const client = await props.client(loop);
  await client.send(requestText("GET", "/"));
  await until("it connects", () => loop.board.endpointInFlight(0) === 1);
  await client.reset();
  await until("it is logged", () => loop.log.length === 1);
  assertEquals(JSON.parse(loop.log[0]!).end, "clientGone");
});

const behind = ["\r\n", "\r\n\r\n", "G", "GET / HTTP/1.1\r\nHost: a"];

for (
  const [leave, rests] of [["close", behind], ["reset", [...behind, requestText("GET", "/next")]]] as const
) {
  scenario(`bytes behind a request do not hide that its client has left (${leave})`, async (props) => {
    const origin = await props.origin(hang());
    const weir = await props.loop({ upstreams: origin.url });
    for (const [i, rest] of rests.entries()) {
      const client = await props.client(weir);
      await client.send(requestText("GET", "/") + rest);
      const { connection } = await origin.request(i + 1);
      await client[leave]();
      await connection.left;
    }
    assertEquals(origin.requests.length, rests.length);
  }, { listeners: ALL_BUT_SERVE });
}

scenario(
  "a client that resets after the last request that it announced is noticed, if not at once",
  async (props) => {
    const origin = await props.origin(hang());
    // Deadlines are looked at four times within the shortest.
    const weir = await props.loop({ upstreams: origin.url, config: { listen: { keepAliveIdleMs: 200 } } });
    const client = await props.client(weir);
    await client.send(requestText("GET", "/", [["Connection", "close"]]));
    const { connection } = await origin.request(1);
    await client.reset();
    await connection.left;
  },
  { listeners: ALL_BUT_SERVE },
);

scenario("a client that leaves within the answer takes its upstream connection with it", async (props) => {
  const origin = await props.origin(download);
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/"));
  await client.head();
  await client.reset();
  await (await origin.connection(1)).left;
});

scenario(
  "a client that stops reading stops the origin, and nothing is lost when it reads on",
  async (props) => {
    const origin = await props.origin(download);
    const weir = await props.loop({ upstreams: origin.url });
    const client = await props.client(weir);
    await client.send(requestText("GET", "/"));
    await client.head();
    const connection = await origin.connection(1);
    const sent = await standstill(() => connection.bytesSent);
    assert(sent < 64_000_000, `${sent} bytes taken from the origin for a client that does not read`);
    const more = await client.read(sent + 1_000_000);
    assertEquals(more.length, sent + 1_000_000);
  },
);

scenario("an origin that stops reading stops the client's upload", async (props) => {
  const origin = await props.origin(stall());
  const endpoints = [origin.url];
  const weir = await props.loop({
    config: { upstreams: { default: { endpoints, timeouts: { requestBodyIdleMs: 1_000 } } } },
  });
  const client = await props.client(weir);
  await client.send(`POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${gigabyte}\r\n\r\n`);
  const block = new Uint8Array(1_000_000);
  let taken = 0;
  const sending = (async () => {
    while (taken < 256_000_000 && await client.send(block)) taken += block.length;
  })();
  const standing = await standstill(() => taken);
  assert(standing < 64_000_000, `${standing} bytes taken from the client for an origin that does not read`);
  await client.reset();
  await sending;
});

scenario("a client that leaves within its upload leaves a cut request behind", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhalf");
  const request = await origin.request(1);
  await client.reset();
  assertEquals(await request.arrived, false);
});
