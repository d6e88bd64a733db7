import { assert, assertEquals, assertThrows } from "@std/assert";
import { finalStatus, probe, type ProbeSettings, statusPasses } from "../../src/control/probe.ts";
import { freePort } from "../support/free_port.ts";
import { close, hang, interim, reply, replyRaw, reset, scene, startOrigin } from "../support/raw_origin.ts";

const strict = { sanitizeOps: true, sanitizeResources: true };
const never = new AbortController().signal;
const tls = { caCerts: [] };
const tcp: ProbeSettings = { kind: "tcp", path: "/", expect: ["200-399"], tls };
const http: ProbeSettings = { ...tcp, kind: "http", path: "/healthz?deep=1" };

function target(port: number) {
  return { scheme: "http", host: "127.0.0.1", port, authority: `127.0.0.1:${port}` } as const;
}

Deno.test(
  "probe() over TCP passes when the connection is made, sends nothing and closes",
  strict,
  async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    assertEquals(await probe(target(port), tcp, never), { passed: true, reason: "connected" });
    using conn = await listener.accept();
    assertEquals(await conn.read(new Uint8Array(16)), null);
  },
);

Deno.test("probe() says that a connection was refused", strict, async () => {
  for (const settings of [tcp, http]) {
    assertEquals(await probe(target(freePort()), settings, never), {
      passed: false,
      reason: "connection refused",
    });
  }
});

Deno.test("probe() says when the lack is on Weir's side", strict, async () => {
  const { connect } = Deno;
  try {
    const short = () => Promise.reject(new Error("Too many open files (os error 24)"));
    Deno.connect = short as typeof Deno.connect;
    const outcome = await probe(target(1), tcp, never);
    assertEquals(outcome, { passed: false, reason: "Too many open files (os error 24)", local: true });
  } finally {
    Deno.connect = connect;
  }
});

Deno.test(
  "probe() over HTTP asks for the path with the endpoint's authority and closes",
  strict,
  async () => {
    await using origin = await startOrigin();
    assertEquals(await probe(target(origin.port), http, never), { passed: true, reason: "status 200" });
    const request = await origin.request(1);
    assertEquals([request.method, request.target], ["GET", "/healthz?deep=1"]);
    assertEquals(request.header("host"), `127.0.0.1:${origin.port}`);
    assertEquals(request.header("connection"), "close");
    assertEquals(request.header("user-agent"), "weir-health-check");
    await (await origin.connection(1)).left;
  },
);

Deno.test("probe() over HTTP sends the Host that the operator wrote", strict, async () => {
  await using origin = await startOrigin();
  await probe(target(origin.port), { ...http, host: "app.example" }, never);
  assertEquals((await origin.request(1)).headerAll("host"), ["app.example"]);
});

Deno.test("probe() over HTTP judges by the status and says what was wrong", strict, async () => {
  const origins = {
    "status 503, expected 200-399": reply(503),
    "status 404, expected 200-399": reply(404),
    "status 304": reply(304),
    "status 204": scene(interim(103), interim(100), reply(204)),
    "closed without an answer": close(),
    "connection reset before an answer": reset(),
    "the answer is not HTTP/1": replyRaw("SSH-2.0-OpenSSH_9.2\r\n"),
    "the answer has no status line": replyRaw("HTTP/1.1 OK\r\n\r\n"),
    "no status within 16384 bytes": replyRaw("HTTP/1.1 100 Continue\r\nX: " + "x".repeat(20_000)),
  };
  for (const [reason, script] of Object.entries(origins)) {
    await using origin = await startOrigin(script);
    const outcome = await probe(target(origin.port), http, never);
    assertEquals(outcome, { passed: /^status \d+$/.test(reason), reason });
  }
});

Deno.test("probe() over HTTP can expect other statuses", strict, async () => {
  await using origin = await startOrigin(reply(401));
  assertEquals((await probe(target(origin.port), { ...http, expect: ["401"] }, never)).passed, true);
  assertEquals(await probe(target(origin.port), { ...http, expect: ["2xx", "301-302"] }, never), {
    passed: false,
    reason: "status 401, expected 2xx or 301-302",
  });
});

Deno.test(
  "probe() gives up and closes when the signal comes while it waits for an answer",
  strict,
  async () => {
    await using origin = await startOrigin(hang());
    const abort = new AbortController();
    const outcome = probe(target(origin.port), http, abort.signal);
    const request = await origin.request(1);
    abort.abort();
    assertEquals((await outcome).passed, false);
    await request.connection.left;
  },
);

Deno.test("probe() gives up when the signal comes while it waits for a TLS handshake", strict, async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const abort = new AbortController();
  const outcome = probe({ ...target(port), scheme: "https" }, tcp, abort.signal);
  using conn = await listener.accept();
  const hello = new Uint8Array(16_384);
  await conn.read(hello);
  abort.abort();
  assertEquals((await outcome).passed, false);
  // Deno keeps the socket of an unfinished handshake until the endpoint leaves, so its end is not awaited.
});

Deno.test("probe() gives up when the signal came before", strict, async () => {
  const aborted = AbortSignal.abort();
  assertEquals((await probe(target(freePort()), tcp, aborted)).passed, false);
});

Deno.test("finalStatus() waits for a whole status line and passes interim answers over", () => {
  const table: [text: string, status: number | null][] = [
    ["", null],
    ["HTT", null],
    ["HTTP/1.1 20", null],
    ["HTTP/1.1 200 OK\r\n", 200],
    ["HTTP/1.0 204\r\n", 204],
    ["HTTP/1.1 503 \n", 503],
    ["HTTP/1.1 103 Early Hints\r\nLink: x\r\n", null],
    ["HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", null],
    ["HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n", 200],
  ];
  for (const [text, status] of table) assertEquals(finalStatus(text), status, JSON.stringify(text));
  for (const text of ["HTTP/2 200\r\n", "x", "\r\n", "HTTP/1.1 099 x\r\n", "HTTP/1.1 2000\r\n"]) {
    assertThrows(() => finalStatus(text), Error, "the answer", text);
  }
});

Deno.test("statusPasses() reads a status, a class and a range", () => {
  const table: [expect: string[], passing: number[], failing: number[]][] = [
    [["200"], [200], [199, 201]],
    [["2xx"], [200, 299], [199, 300]],
    [["200-399"], [200, 399], [199, 400]],
    [["2xx-399"], [200, 399], [400]],
    [["204", "4xx"], [204, 404], [200, 500]],
  ];
  for (const [expect, passing, failing] of table) {
    for (const status of passing) assert(statusPasses(expect, status), `${expect}: ${status}`);
    for (const status of failing) assert(!statusPasses(expect, status), `${expect}: ${status}`);
  }
});
