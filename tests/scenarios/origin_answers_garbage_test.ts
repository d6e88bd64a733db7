// What is no HTTP answer becomes a 502, and the connection it came by is not used again.

import { assertEquals } from "@std/assert";
import { ask, requestText } from "../support/raw_client.ts";
import { close, hang, reply, replyRaw, scene, type Step } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

const ok = "HTTP/1.1 200 OK\r\n";

const garbage: Record<string, Step> = {
  "no HTTP": replyRaw("SSH-2.0-OpenSSH_9.9\r\n\r\n"),
  "another protocol's greeting": replyRaw("SSH-2.0-OpenSSH_9.9\r\n"),
  "lines that end without CR": replyRaw("HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
  "another version": replyRaw("HTTP/3.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
  "no status": replyRaw("HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n"),
  "two lengths": replyRaw(`${ok}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`),
  "a negative length": replyRaw(`${ok}Content-Length: -1\r\n\r\n`),
  "length and chunked": replyRaw(`${ok}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
  "another coding under chunked": replyRaw(`${ok}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`),
  "a folded line": replyRaw(`${ok}X-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n`),
  "a space before the colon": replyRaw(`${ok}Content-Length : 0\r\n\r\n`),
  "a NUL in a value": replyRaw(`${ok}X-A: \0\r\nContent-Length: 0\r\n\r\n`),
  "a bare CR in a value": replyRaw(`${ok}X-A: 1\rX-B: 2\r\nContent-Length: 0\r\n\r\n`),
  "a head without an end": scene(replyRaw(`${ok}X-A: 1\r\n`), close()),
  "a head of 100 KB": replyRaw(`${ok}X-A: ${"a".repeat(100_000)}\r\nContent-Length: 0\r\n\r\n`),
  "a switch of protocols that nobody asked for": replyRaw("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"),
};

scenario("garbage is answered 502, and the next request gets a fresh connection", async (props) => {
  const script = Object.values(garbage).flatMap((step) => [step, reply(200, { body: "well" })]);
  const origin = await props.origin(script);
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  for (const what of Object.keys(garbage)) {
    await client.send(requestText("POST", "/", [], "x"));
    assertEquals([what, (await client.response()).status], [what, 502]);
    await client.send(requestText("POST", "/", [], "x"));
    assertEquals([what, (await client.response()).text], [what, "well"]);
    assertEquals(origin.requests.at(-1)!.connection === origin.requests.at(-2)!.connection, false, what);
  }
});

scenario("a GET moves on from garbage, which is told as what it is", async (props) => {
  const good = await props.origin(reply(200, { body: "good" }));
  const bad = await props.origin(garbage["no HTTP"]!);
  const weir = await props.loop({ upstreams: [good.url, bad.url] });
  for (let n = 0; n < 2; n++) assertEquals((await ask(weir.url)).text, "good");
  assertEquals([bad.requests.length, good.requests.length], [1, 2]);
  assertEquals([weir.upstreamTotal("retryMalformed"), weir.upstreamTotal("retryReset")], [1, 0]);
});

scenario("more interim answers than anybody has a use for are garbage, too", async (props) => {
  const hint = "HTTP/1.1 103 Early Hints\r\n\r\n";
  const origin = await props.origin([
    replyRaw(hint.repeat(101)),
    replyRaw(hint.repeat(100) + `${ok}Content-Length: 0\r\n\r\n`),
  ]);
  const client = await props.client(await props.loop({ upstreams: origin.url }));
  const statuses: number[] = [];
  for (let n = 0; n < 2; n++) {
    await client.send(requestText("POST", "/", [], "x"));
    let { status } = await client.response();
    while (status === 103) ({ status } = await client.response());
    statuses.push(status);
  }
  assertEquals(statuses, [502, 200]);
});

scenario("a head is too large from the first byte beyond the limit on, whole or not", async (props) => {
  const [before, after] = [`${ok}Content-Length: 4\r\nX-A: `, "\r\n\r\n"];
  const ofBytes = (bytes: number) => before + "a".repeat(bytes - before.length - after.length) + after;
  const origin = await props.origin([
    replyRaw(ofBytes(1_024) + "well"),
    replyRaw(ofBytes(1_025) + "well"),
    scene(replyRaw(ofBytes(1_029).slice(0, 1_025)), hang()),
  ]);
  const weir = await props.loop({
    config: { upstreams: { default: { endpoints: [origin.url], limits: { responseHeadBytesMax: 1_024 } } } },
  });
  const statuses: number[] = [];
  for (let n = 0; n < 3; n++) {
    statuses.push((await ask(weir.url, { method: "POST", body: "x" })).status);
  }
  assertEquals(statuses, [200, 502, 502]);
});

scenario("what an origin sends behind its answer never gets into it", async (props) => {
  const head = `HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(33_000)}\r\nContent-Length: `;
  // The answer fills Weir's memory for it to the last byte, so that the rest would be read to where it lies.
  const length = 65_536 - head.length - "12345\r\n\r\n".length;
  const answer = `${head}${length}\r\n\r\n${"b".repeat(length)}`;
  const origin = await props.origin(replyRaw(answer + "X".repeat(60_000)));
  const client = await props.client(await props.loop({ upstreams: origin.url }));
  await client.send(requestText("GET", "/"));
  const { text } = await client.response();
  assertEquals([text.length, text.includes("X")], [length, false]);
});

scenario("a status that is none passes, or is refused where Deno cannot send it", async (props) => {
  const passes = props.listener === "wire";
  const origin = await props.origin([reply(600), reply(999, { body: "well" })]);
  const weir = await props.loop({ upstreams: origin.url });
  for (const status of [600, 999]) {
    const answer = await ask(weir.url);
    assertEquals(answer.status, passes ? status : 502);
    assertEquals(answer.header("proxy-status"), passes ? undefined : "weir; error=http_protocol_error");
    assertEquals(answer.header("cache-control"), passes ? undefined : "no-store");
    const sent = origin.requests.at(-1)!.header("x-request-id");
    assertEquals(answer.header("x-request-id"), passes ? undefined : sent);
  }
  await until("both are logged", () => weir.log.length === 2);
  for (const line of weir.log.map((line) => JSON.parse(line))) {
    assertEquals(line.cause ?? null, passes ? null : "http_protocol_error");
    if (!passes) assertEquals(line.status, 502);
  }
});

scenario("a status that is none is counted as a 5xx, and as nothing else", async (props) => {
  const origin = await props.origin(reply(999));
  const weir = await props.loop({ upstreams: origin.url });
  await ask(weir.url);
  const count = (field: Parameters<typeof weir.endpointTotal>[1]) => weir.endpointTotal(origin.url, field);
  await until("it is counted", () => count("status5xx") + count("connectionsOpened") > 1);
  assertEquals([count("status5xx"), count("connectionsOpened")], [1, 1]);
});
