import { assertEquals, assertStringIncludes } from "@std/assert";
import { sampleApp } from "../../src/samples/sample_app.ts";
import { type SampleOrigins, startSampleOrigins } from "../../src/samples/sample_origins.ts";
import { ask, RawClient, requestText } from "../support/raw_client.ts";

function sampleTest(name: string, fn: (origins: SampleOrigins) => Promise<void>): void {
  Deno.test({
    name,
    sanitizeOps: true,
    sanitizeResources: true,
    async fn() {
      const origins = await startSampleOrigins();
      try {
        await fn(origins);
      } finally {
        origins.close();
      }
    },
  });
}

sampleTest("startSampleOrigins() starts origins with names of their own", async ({ urls }) => {
  const names: (string | undefined)[] = [];
  for (const url of urls) {
    const page = await ask(url);
    names.push(page.header("x-origin"));
    assertStringIncludes(page.text, `This is ${page.header("x-origin")}`);
  }
  assertEquals(names, ["alder", "birch", "cedar"]);
});

sampleTest("sample origins answer as their paths promise", async ({ urls: [url] }) => {
  const cases: [target: string, status: number, text: string][] = [
    ["/ping", 200, "pong from alder\n"],
    ["/payload?size=3", 200, "www"],
    ["/payload?size=0", 200, ""],
    ["/payload?size=-1", 400, "size must be a whole number, at most 1073741824\n"],
    ["/payload?size=1e9", 400, "size must be a whole number, at most 1073741824\n"],
    ["/slow?ms=0", 200, "alder took 0 ms\n"],
    ["/slow?ms=60001", 400, "ms must be a whole number, at most 60000\n"],
    ["/fail", 503, "alder answers 503 on purpose\n"],
    ["/fail?status=204", 204, ""],
    ["/fail?status=101", 400, "status must be a whole number, at most 599\n"],
    ["/ws", 426, "this path speaks WebSocket\n"],
    ["/nowhere", 404, "alder has no such page; / lists them\n"],
  ];
  for (const [target, status, text] of cases) {
    const answer = await ask(url!, { target });
    assertEquals([target, answer.status, answer.text], [target, status, text]);
  }
});

sampleTest("sample origins echo the request that they received", async ({ urls: [url] }) => {
  const answer = await ask(url!, {
    method: "PUT",
    target: "/echo?a=/b",
    headers: [["X-A", "1"]],
    body: "hi",
  });
  const echo = JSON.parse(answer.text);
  assertEquals([echo.origin, echo.method, echo.target, echo.body, echo.bodyBytes], [
    "alder",
    "PUT",
    "/echo?a=/b",
    "hi",
    2,
  ]);
  assertEquals(Object.fromEntries(echo.headers)["x-a"], "1");
});

sampleTest("sample origins cut /cut short", async ({ urls: [url] }) => {
  assertEquals((await ask(url!, { target: "/cut" })).ended, "cut");
});

sampleTest("sample origins send server-sent events until there are enough", async ({ urls: [url] }) => {
  const answer = await ask(url!, { target: "/events?count=2&ms=0" });
  assertEquals(answer.header("content-type"), "text/event-stream");
  assertEquals(answer.text.match(/^data:.*$/gm), ["data:alder 1", "data:alder 2"]);
});

sampleTest("sample origins speak WebSocket", async ({ urls: [url] }) => {
  await using client = await RawClient.connect(url!);
  await client.send(requestText("GET", "/ws", [
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
    ["Sec-WebSocket-Version", "13"],
    ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
  ]));
  assertEquals((await client.response()).header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  const maskedHi = [0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69];
  await client.send(new Uint8Array(maskedHi));
  assertEquals([...await client.read(4)], [0x81, 2, 0x68, 0x69]);
});

Deno.test("sampleApp() stops waiting when the client leaves", async () => {
  const leaving = new AbortController();
  const request = new Request("http://alder/slow?ms=60000", { signal: leaving.signal });
  const answer = sampleApp("alder")(request);
  leaving.abort();
  assertEquals((await answer).status, 200);
});
