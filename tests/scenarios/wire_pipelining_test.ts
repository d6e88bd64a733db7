// Requests behind each other on one connection: each gets its answer in its turn, and an upload takes nothing of the next.

import { assertEquals } from "@std/assert";
import { requestText } from "../support/raw_client.ts";
import { afterHead, chunked, close, Gate, reply, scene, wait } from "../support/raw_origin.ts";
import { ALL_BUT_SERVE, scenario } from "../support/scenario.ts";

const WIRE = { listeners: ALL_BUT_SERVE };

scenario("pipelined requests are answered in order, however long each takes", async (props) => {
  const gate = new Gate();
  const slow = scene(wait(gate), reply(200, { body: "one" }));
  const origin = await props.origin([slow, reply(200, { body: "two" }), chunked(["th", "ree"])]);
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(
    requestText("GET", "/1") + requestText("POST", "/2", [], "body") + requestText("GET", "/3"),
  );
  await origin.request(1);
  assertEquals(origin.requests.length, 1, "the next waits for the answer before it");
  gate.open();
  for (const text of ["one", "two", "three"]) assertEquals((await client.response()).text, text);
  assertEquals(origin.requests.map(({ target }) => target), ["/1", "/2", "/3"]);
  assertEquals(await (await origin.request(2)).text(), "body");
}, WIRE);

scenario(
  "pipelined requests are all answered when the last one says so and the client half-closes",
  async (props) => {
    const gate = new Gate();
    const origin = await props.origin([
      scene(wait(gate), reply(200, { body: "one" })),
      reply(200, { body: "two" }),
    ]);
    const weir = await props.loop({ upstreams: origin.url });
    const client = await props.client(weir);
    await client.send(requestText("GET", "/1") + requestText("GET", "/2", [["Connection", "close"]]));
    await client.halfClose();
    await origin.request(1);
    gate.open();
    for (const text of ["one", "two"]) assertEquals((await client.response()).text, text);
    assertEquals(await client.untilClosed(), "");
  },
  WIRE,
);

const whole: Record<string, readonly [framing: string, body: string]> = {
  "of known length": ["Content-Length: 4", "body"],
  "in chunks": ["Transfer-Encoding: chunked", "4\r\nbody\r\n0\r\n\r\n"],
};

for (const [what, [framing, body]] of Object.entries(whole)) {
  scenario(`a half-close behind pipelined requests drops no upload among them (${what})`, async (props) => {
    const gate = new Gate();
    // Closing makes the upload wait for a connection of its own before it is read.
    const origin = await props.origin([
      scene(wait(gate), reply(200, { body: "one", headers: [["Connection", "close"]] })),
      reply(200, { body: "two" }),
      reply(200, { body: "three" }),
    ]);
    const weir = await props.loop({ upstreams: origin.url });
    const client = await props.client(weir);
    const upload = `POST /2 HTTP/1.1\r\nHost: a.test\r\n${framing}\r\n\r\n${body}`;
    await client.send(
      requestText("GET", "/1") + upload + requestText("GET", "/3", [["Connection", "close"]]),
    );
    await client.halfClose();
    await origin.request(1);
    gate.open();
    for (const text of ["one", "two", "three"]) assertEquals((await client.response()).text, text);
    assertEquals(await client.untilClosed(), "");
    assertEquals(await (await origin.request(2)).text(), "body");
  }, WIRE);
}

scenario("a refused upload that is all here costs its client no connection", async (props) => {
  const origin = await props.origin(reply(200, { body: "two" }));
  const weir = await props.loop({
    upstreams: origin.url,
    config: { routes: [{ match: { path: "/here/*" }, upstream: "default" }] },
  });
  const client = await props.client(weir);
  const refused = requestText("POST", "/elsewhere", [], "body");
  await client.send(refused + requestText("GET", "/here/2") + refused);
  for (const status of [404, 200, 404]) assertEquals((await client.response()).status, status);
  await client.send(requestText("GET", "/here/2"));
  assertEquals((await client.response()).text, "two");
}, WIRE);

const long = "x".repeat(5_000);
const uploads: Record<string, readonly [framing: string, pieces: readonly string[], body: string]> = {
  "of known length": ["Content-Length: 5006", ["ab", "cd", `ef${long}`], `abcdef${long}`],
  "none of it there": ["Content-Length: 5004", ["", "cd", `ef${long}`], `cdef${long}`],
  "within a chunk": ["Transfer-Encoding: chunked", ["6\r\nab", "cd", "ef\r\n0\r\n\r\n"], "abcdef"],
  "within a chunk's size": ["Transfer-Encoding: chunked", [
    "1\r\na\r\n1",
    "388",
    `\r\n${long}\r\n0\r\n\r\n`,
  ], `a${long}`],
};

for (const [what, [framing, [first, ...rest], body]] of Object.entries(uploads)) {
  scenario(`a pipelined upload that comes in pieces arrives whole (${what})`, async (props) => {
    const gate = new Gate();
    const origin = await props.origin([
      scene(wait(gate), reply(200)),
      reply(200, { body: "two" }),
      reply(204),
    ]);
    const weir = await props.loop({ upstreams: origin.url });
    const client = await props.client(weir);
    const head = `POST /2 HTTP/1.1\r\nHost: a.test\r\n${framing}\r\n\r\n`;
    await client.send(requestText("GET", "/1") + head + first);
    await origin.request(1);
    gate.open();
    const request = await origin.request(2);
    for (const piece of rest) await client.send(piece);
    assertEquals(await request.text(), body);
    await client.send(requestText("GET", "/3"));
    for (const status of [200, 200, 204]) assertEquals((await client.response()).status, status);
  }, WIRE);
}

scenario("a pipelined upload that is answered early is taken to its end", async (props) => {
  const gate = new Gate();
  const origin = await props.origin([
    scene(wait(gate), reply(200, { body: "one" })),
    afterHead(reply(401, { body: "two" }), close()),
  ]);
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  const head = "POST /2 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 8000000\r\n\r\n";
  await client.send(requestText("GET", "/1") + head);
  await origin.request(1);
  gate.open();
  for (const text of ["one", "two"]) assertEquals((await client.response()).text, text);
  assertEquals(await client.send("x".repeat(8_000_000)), true);
  assertEquals(await client.untilClosed(), "");
}, WIRE);
