import { assertEquals } from "@std/assert";
import { encodeLatin1 } from "../../src/http1/latin1.ts";
import { readRequest } from "../../src/listener/wire_request.ts";
import { Identity } from "../../src/proxy/identity.ts";
import { AttemptRecord, RequestRecord } from "../../src/proxy/record.ts";
import { StoryRing } from "../../src/proxy/story_ring.ts";
import { textsInHeap } from "../support/heap.ts";

const REQUESTS = 20;

/** The head of a request as the wire listener reads it: its parts are cut from one text. */
function headOf(method: string, requestId: string) {
  const text = `${method} /orders/${requestId} HTTP/1.1\r\nHost: shop.example.com\r\n` +
    `X-Request-Id: ${requestId}\r\nCookie: a=${"b".repeat(4_096)}\r\n\r\n`;
  const bytes = new Uint8Array(text.length);
  encodeLatin1(text, bytes, 0);
  return readRequest({ bytes, start: 0 }, bytes.length, { scheme: "http", headerLinesMax: 100 }, {
    authority: "",
  }).head;
}

function recordOf(method: string, cause: string, number: number): RequestRecord {
  const head = headOf(method, `id-of-request-${number}`);
  const record = new RequestRecord(head, 1_000);
  record.requestId = head.headers[3]!;
  record.clientAddress = "203.0.113.9";
  record.delivery = { kind: "complete", bytes: 12 };
  record.cause = cause;
  record.message = cause === "" ? "" : `${head.method} is not allowed`;
  record.addAttempt(new AttemptRecord("http://a:1", 1_001));
  return record;
}

for (const [kind, cause] of [["that went straight", ""], ["that failed", "connection_refused"]]) {
  Deno.test(`StoryRing keeps no text of a request ${kind}`, async () => {
    const method = cause === "" ? "KEPT-BY-STORIES" : "KEPT-BY-FAILURES";
    const ring = new StoryRing(REQUESTS);
    for (let number = 0; number < REQUESTS; number++) ring.keep(recordOf(method, cause!, number), 0);
    assertEquals(await textsInHeap(`${method} /orders/`), 0);
    const { requestId, target, method: told, endedBy } = ring.find("id-of-request-0")!;
    assertEquals([requestId, target, told], ["id-of-request-0", "/orders/id-of-request-0", method]);
    assertEquals(endedBy, cause === "" ? "complete" : `complete: ${cause}: ${method} is not allowed`);
  });
}

Deno.test("Identity keeps no text of the requests that it vouched for", async () => {
  const identity = new Identity("weir-1", { via: "weir", requestId: "X-Request-Id" } as Identity["config"]);
  const lines = (number: number) =>
    identity.vouchFor(`203.0.113.${number}`, headOf("KEPT-BY-IDENTITY", String(number)));
  for (let number = 0; number < REQUESTS; number++) {
    assertEquals(lines(number).includes("shop.example.com"), true);
  }
  assertEquals(await textsInHeap("KEPT-BY-IDENTITY /orders/"), 0);
  assertEquals(lines(0), lines(0));
});
