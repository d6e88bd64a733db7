// Clients that are slow, greedy or silent, where the listener knows its connections: each limit has a name, and
// others are served meanwhile.

import { assertEquals, assertMatch } from "@std/assert";
import { ask, requestText } from "../support/raw_client.ts";
import { afterHead, hang, interim, readBody, reply, scene } from "../support/raw_origin.ts";
import { ALL_BUT_SERVE, scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

const WIRE = { listeners: ALL_BUT_SERVE };

function listening(origin: { url: string }, listen: Record<string, unknown>) {
  return { config: { upstreams: { default: { endpoints: [origin.url] } }, listen } };
}

scenario("a head that does not come in time is 408, a connection without one just closes", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop(listening(origin, { headReadMs: 500 }));
  const [silent, half] = [await props.client(weir), await props.client(weir)];
  await half.send("GET / HTTP/1.1\r\nHost: a");
  const answer = await half.response();
  assertEquals([answer.status, answer.header("connection")], [408, "close"]);
  assertEquals(await silent.untilClosed(), "");
  const second = await props.client(weir);
  await second.send(requestText("GET", "/"));
  assertEquals((await second.response()).status, 200);
  await second.send("GET /");
  assertEquals((await second.response()).status, 408, "a later head has the same time");
  await until("they are logged", () => weir.log.filter((line) => line.includes('"status":408')).length === 2);
}, WIRE);

scenario(
  "an idle connection is closed after its time, and no sooner than it has been served",
  async (props) => {
    const origin = await props.origin(reply(200));
    const weir = await props.loop(listening(origin, { keepAliveIdleMs: 100 }));
    const client = await props.client(weir);
    await client.send(requestText("GET", "/"));
    assertEquals((await client.response()).status, 200);
    assertEquals([await client.untilClosed(), client.ending], ["", "end"]);
  },
  WIRE,
);

scenario("a body below the minimum rate is 408, and its origin is let go", async (props) => {
  const origin = await props.origin(afterHead(readBody(), reply(200)));
  const weir = await props.loop(listening(origin, { headReadMs: 100, bodyBytesPerSecondMin: 1_000_000 }));
  const client = await props.client(weir);
  await client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000\r\n\r\ndrop");
  assertEquals((await client.response()).status, 408);
  assertEquals(await (await origin.request(1)).arrived, false);
}, WIRE);

scenario("neither a client that waits for 100 nor an endpoint that sends none is blamed", async (props) => {
  const timeouts = { requestBodyIdleMs: 100, responseHeadMs: 1_000 };
  const expecting = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n";
  for (const [script, answers] of [[hang(), [504]], [scene(interim(100), hang()), [100, 408]]] as const) {
    const origin = await props.origin(afterHead(script));
    const listen = { headReadMs: 100, bodyBytesPerSecondMin: 1_000_000 };
    const upstreams = { default: { endpoints: [origin.url], timeouts } };
    const weir = await props.loop({ config: { upstreams, listen } });
    const client = await props.client(weir);
    await client.send(expecting);
    for (const status of answers) assertEquals((await client.response()).status, status);
    assertEquals(weir.endpointTotal(origin.url, "gatewayFailures"), 0);
  }
}, WIRE);

scenario("a head that is too large is 431, a target 414, too many lines 431", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop(listening(origin, { headBytesMax: 4_096, headerLinesMax: 10 }));
  const cases: readonly [status: number, text: string][] = [
    [431, requestText("GET", "/", [["X", "x".repeat(5_000)]])],
    [431, requestText("GET", "/", Array.from({ length: 10 }, (_, i) => [`X-${i}`, "1"]))],
    [414, requestText("GET", "/" + "x".repeat(5_000))],
    [200, requestText("GET", "/", Array.from({ length: 9 }, (_, i) => [`X-${i}`, "x".repeat(400)]))],
  ];
  for (const [status, text] of cases) {
    const client = await props.client(weir);
    await client.send(text);
    assertEquals((await client.response()).status, status);
  }
  assertEquals(origin.requests.length, 1);
  const small = await props.loop(listening(origin, { headBytesMax: 1_024 }));
  for (const [status, pathBytes] of [[414, 1_010], [431, 1_009]] as const) {
    const client = await props.client(small);
    // The request line ends one byte beyond what a head may have, and with its last one.
    await client.send(requestText("GET", "/" + "x".repeat(pathBytes - 1)));
    assertEquals((await client.response()).status, status);
  }
}, WIRE);

scenario(
  "a client that still sends what is refused is not reset before it has read its answer",
  async (props) => {
    const origin = await props.origin(reply(200));
    const weir = await props.loop(listening(origin, { headBytesMax: 4_096 }));
    const client = await props.client(weir);
    await client.send("GET /" + "x".repeat(100_000));
    assertEquals((await client.response()).status, 414);
    assertEquals([await client.untilClosed(), client.ending], ["", "end"]);
    for (let n = 1; n <= 3; n++) assertEquals(await client.send("x".repeat(1_000)), true, `piece ${n}`);
  },
  WIRE,
);

scenario(
  "a connection too many costs the one that idles the longest, and never one at work",
  async (props) => {
    const origin = await props.origin(reply(200));
    const weir = await props.loop(listening(origin, { connectionsMax: 2 }));
    const [first, second] = [await props.client(weir), await props.client(weir)];
    for (const client of [first, second]) {
      await client.send(requestText("GET", "/"));
      assertEquals((await client.response()).status, 200);
    }
    await second.send("GET / HT");
    assertEquals((await ask(weir.url)).status, 200);
    assertEquals(await first.untilClosed(), "");
    await second.send("TP/1.1\r\nHost: a.test\r\n\r\n");
    assertEquals((await second.response()).status, 200);
  },
  WIRE,
);

scenario("one address holds no more connections than it may", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop(listening(origin, { connectionsPerAddressMax: 2 }));
  const busy = [await props.client(weir), await props.client(weir)];
  for (const client of busy) await client.send("GET / HT");
  await until("a third is turned away", async () => {
    const third = await props.client(weir);
    return await third.send(requestText("GET", "/")) && await third.untilClosed() === "";
  });
  for (const client of busy) {
    await client.send("TP/1.1\r\nHost: a.test\r\n\r\n");
    assertEquals((await client.response()).status, 200);
  }
}, WIRE);

scenario("connections through a proxy count for the client that its PROXY header names", async (props) => {
  const origin = await props.origin(afterHead(readBody(), reply(200)));
  const { config } = listening(origin, { proxyProtocol: true, connectionsPerAddressMax: 1 });
  const weir = await props.loop({ config: { ...config, trustedProxies: ["127.0.0.0/8"] } });
  const comes = async (header: string, request: string) => {
    const client = await props.client(weir);
    await client.send(`PROXY ${header}\r\n${request}`);
    return client;
  };
  const upload = await comes(
    "TCP4 192.0.2.7 10.0.0.1 5000 80",
    "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 8\r\n\r\nhalf",
  );
  await origin.request(1);
  for (const header of ["TCP4 192.0.2.8 10.0.0.1 5000 80", "UNKNOWN", "UNKNOWN"]) {
    const other = await comes(header, requestText("GET", "/"));
    assertEquals((await other.response()).status, 200, header);
  }
  const same = await comes("TCP4 192.0.2.7 10.0.0.1 5001 80", requestText("GET", "/"));
  assertEquals(await same.untilClosed(), "");
  await upload.send("more");
  assertEquals((await upload.response()).status, 200);
  const next = await comes("TCP4 192.0.2.7 10.0.0.1 5002 80", requestText("GET", "/"));
  assertEquals((await next.response()).status, 200, "the one that idles makes room");
  assertEquals(await upload.untilClosed(), "");
}, WIRE);

scenario("a drain ends connections that stay idle, and lets an upload end", async (props) => {
  const origin = await props.origin(afterHead(readBody(), reply(201)));
  const weir = await props.weir({
    upstreams: origin.url,
    config: { drain: { delayMs: 0, deadlineMs: 10_000 } },
  });
  const idle = await props.client(weir);
  await idle.send(requestText("GET", "/"));
  assertEquals((await idle.response()).status, 201);
  const upload = await props.client(weir);
  await upload.send("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
  const request = await origin.request(2);
  weir.signal("SIGTERM");
  assertEquals([await idle.untilClosed(), idle.ending], ["", "end"]);
  await upload.send("4\r\nmore\r\n0\r\n\r\n");
  const answer = await upload.response();
  assertEquals([answer.status, answer.header("connection")], [201, "close"]);
  assertEquals(await request.text(), "halfmore");
  assertEquals((await weir.exit).code, 0);
  assertMatch(await weir.line(/drained/), /nothing was cut/);
}, WIRE);

const V2 = "\r\n\r\n\0\r\nQUIT\n";
const headers: Readonly<Record<string, readonly [bytes: string, client: string | null]>> = {
  "version 1": ["PROXY TCP4 192.0.2.7 10.0.0.1 5000 80\r\n", "192.0.2.7"],
  "version 1, IPv6": ["PROXY TCP6 2001:db8::7 ::1 5000 80\r\n", "2001:db8::7"],
  "version 1, unknown": ["PROXY UNKNOWN\r\n", "127.0.0.1"],
  "version 2": [`${V2}\x21\x11\0\x0c\xc0\0\x02\x07\x0a\0\0\x01\x13\x88\0\x50`, "192.0.2.7"],
  "version 2, IPv6": [
    `${V2}\x21\x21\0\x24\x20\x01\x0d\xb8${"\0".repeat(11)}\x07${"\0".repeat(16)}\x13\x88\0\x50`,
    "2001:db8::7",
  ],
  "version 2, IPv4 within IPv6": [
    `${V2}\x21\x21\0\x24${"\0".repeat(10)}\xff\xff\xc0\0\x02\x07${"\0".repeat(16)}\x13\x88\0\x50`,
    "192.0.2.7",
  ],
  "version 2, LOCAL": [`${V2}\x20\0\0\0`, "127.0.0.1"],
  "no header": ["", null],
  "a broken one": ["PROXY TCP4 192.0.2.999 10.0.0.1 5000 80\r\n", null],
};
for (const [what, [bytes, address]] of Object.entries(headers)) {
  scenario(`behind a trusted balancer, ${what} of the PROXY protocol tells the client`, async (props) => {
    const origin = await props.origin(reply(200));
    const { config } = listening(origin, { proxyProtocol: true });
    const weir = await props.loop({ config: { ...config, trustedProxies: ["127.0.0.0/8"] } });
    const client = await props.client(weir);
    // In two pieces: it may come apart.
    await client.send(bytes.slice(0, 9));
    await client.send(bytes.slice(9) + requestText("GET", "/"));
    const answer = await client.response();
    if (address === null) return assertEquals([answer.status, origin.requests.length], [400, 0]);
    assertEquals(answer.status, 200);
    assertMatch((await origin.request(1)).header("x-forwarded-for")!, new RegExp(`^${address}\\b`));
  }, WIRE);
}

scenario(
  "a connection with nothing behind its PROXY header makes room like any that idles",
  async (props) => {
    const origin = await props.origin(reply(200));
    const { config } = listening(origin, { proxyProtocol: true, connectionsMax: 1 });
    const weir = await props.loop({ config: { ...config, trustedProxies: ["127.0.0.0/8"] } });
    const [header] = headers["version 1"]!;
    const silent = await props.client(weir);
    await silent.send(header);
    const asking = await props.client(weir);
    await asking.send(header + requestText("GET", "/"));
    assertEquals((await asking.response()).status, 200);
    assertEquals(await silent.untilClosed(), "");
  },
  WIRE,
);

scenario("a PROXY header of somebody who is not trusted is a bad request", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop(listening(origin, { proxyProtocol: true }));
  const client = await props.client(weir);
  await client.send(headers["version 1"]![0] + requestText("GET", "/"));
  assertEquals([(await client.response()).status, origin.requests.length], [400, 0]);
}, WIRE);

for (const [what, more] of Object.entries({ "one empty line": "", "nothing but empty lines": "\r\n" })) {
  scenario(
    `a client that sends ${what} after its request is let go like one that is silent`,
    async (props) => {
      const origin = await props.origin(reply(200));
      const weir = await props.loop(listening(origin, { headReadMs: 200, keepAliveIdleMs: 200 }));
      const client = await props.client(weir);
      await client.send(requestText("GET", "/") + "\r\n");
      assertEquals((await client.response()).status, 200);
      const closed = client.untilClosed();
      await until("it is let go", async () => {
        if (more !== "") await client.send(more);
        return client.ending !== "open";
      });
      assertEquals(await closed, "");
    },
    WIRE,
  );
}
