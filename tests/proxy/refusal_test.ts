// What a client gets of a refusal: status, type, fields, and a body that it can read.

import { assertEquals } from "@std/assert";
import { configSchema } from "../../src/config/schema.ts";
import { headerValue, type RequestHead } from "../../src/exchange.ts";
import { isForThisHop, refusalBeforeRouting } from "../../src/proxy/acceptance.ts";
import { type Refusal, refusalResponse } from "../../src/proxy/refusal.ts";
import * as refusals from "../../src/proxy/refusals.ts";
import { fromLatin1 } from "../support/raw_http.ts";
import { requestHead } from "../support/request_head.ts";

const { headers: NAMES, limits: LIMITS } = configSchema.parse({
  headers: { via: "edge" },
  limits: { targetBytesMax: 1_024 },
  upstreams: { default: { endpoints: ["http://127.0.0.1:1"] } },
});

function request(method: string, target = "/", headers: readonly string[] = []): RequestHead {
  return requestHead({ method, target, authority: "shop.example", headers: [...headers] });
}

function answerTo(
  refusal: Refusal,
  { accept = [], requestId = "r-1" }: { accept?: readonly string[]; requestId?: string } = {},
) {
  const head = request("GET", "/", accept.flatMap((line) => ["accept", line]));
  const date = new Date("2026-01-01T00:00:00Z");
  const { head: answer, body } = refusalResponse(refusal, head, requestId, NAMES, date);
  return { answer, text: fromLatin1(body.takeWhole() ?? new Uint8Array()), length: body.length };
}

const named: Record<
  string,
  readonly [refusal: Refusal, status: number, error: string, retryAfterS?: number]
> = {
  "too many requests in flight": [refusals.OVERLOADED, 503, "connection_limit_reached", 1],
  "no endpoint": [refusals.ofNoLease("noEndpoint"), 503, "destination_unavailable", 1],
  "a full queue": [refusals.ofNoLease("queueFull"), 503, "connection_limit_reached", 1],
  "a wait too long": [refusals.ofNoLease("queueTimeout"), 503, "connection_limit_reached", 1],
  "the deadline passed": [refusals.ofNoLease("outOfTime"), 504, "http_response_timeout"],
  "a bug": [refusals.INTERNAL_ERROR, 500, "proxy_internal_error"],
  "a status that is none": [refusals.UNKNOWN_STATUS, 502, "http_protocol_error"],
};

for (const [what, [refusal, status, error, retryAfterS]] of Object.entries(named)) {
  Deno.test(`the answer to ${what}: ${status}, ${error}${retryAfterS ? ", to be asked again" : ""}`, () => {
    const { answer, text, length } = answerTo(refusal);
    assertEquals(answer.status, status);
    const field = (name: string) => headerValue(answer.headers, name);
    assertEquals(field("proxy-status"), `edge; error=${error}`);
    assertEquals(field("retry-after"), retryAfterS?.toString());
    assertEquals(field("connection"), undefined);
    assertEquals([field("cache-control"), field("date")], ["no-store", "Thu, 01 Jan 2026 00:00:00 GMT"]);
    assertEquals([field("content-length"), length], [String(text.length), text.length]);
    assertEquals(text, `${status} ${answer.reason}: ${refusal.message}\n`);
  });
}

for (
  const [cause, status, message] of [
    ["tooLarge", 413, "request body larger than 77 bytes"],
    ["timedOut", 408, "the request body did not come in time"],
    ["malformed", 400, "the request body is malformed"],
  ] as const
) {
  Deno.test(`a request body that is ${cause} is answered ${status}, and its connection is not used again`, () => {
    const { answer, text } = answerTo(refusals.ofRequestBody(cause, 77));
    assertEquals([answer.status, text], [status, `${status} ${answer.reason}: ${message}\n`]);
    assertEquals(headerValue(answer.headers, "connection"), "close");
    assertEquals(headerValue(answer.headers, "proxy-status"), "edge; error=http_request_error");
  });
}

/** Whether the answer is JSON <- lines of Accept. */
const accepts: readonly (readonly [json: boolean, ...accept: string[]])[] = [
  [false],
  [false, ""],
  [false, "*/*"],
  [false, "text/html"],
  [true, "application/json"],
  [true, "Application/JSON"],
  [true, "application/problem+json"],
  [false, "application/jsonp"],
  [true, "application/json; charset=utf-8"],
  [true, "application/json;q=0.9"],
  [false, "application/json;q=0"],
  [false, "application/json; q=0.000"],
  [false, "application/json;q=0, */*"],
  [true, "image/png, application/json"],
  [true, "application/json, text/plain"],
  [false, "text/html, application/json"],
  [false, "*/*, application/json"],
  [true, "image/png", "application/json"],
  [false, "text/html", "application/json"],
];

Deno.test("an answer is JSON for who names it before text or anything", () => {
  for (const [json, ...accept] of accepts) {
    const { answer, text } = answerTo(refusals.NO_ENDPOINT, { accept });
    const type = json ? "application/json" : "text/plain; charset=utf-8";
    assertEquals(headerValue(answer.headers, "content-type"), type, accept.join("; "));
    if (!json) continue;
    assertEquals(JSON.parse(text), {
      status: 503,
      error: "destination_unavailable",
      message: "no endpoint can take the request",
      requestId: "r-1",
    });
  }
});

Deno.test("an answer names its request, where that has a name", () => {
  const idOf = (requestId: string) =>
    headerValue(answerTo(refusals.NO_ENDPOINT, { requestId }).answer.headers, NAMES.requestId);
  assertEquals([idOf("r-7"), idOf("")], ["r-7", undefined]);
});

const before: Record<string, readonly [head: RequestHead, status: number | null, field?: readonly string[]]> =
  {
    "a target as long as it may be": [request("GET", "/".padEnd(1_024, "x")), null],
    "a target one byte too long": [request("GET", "/".padEnd(1_025, "x")), 414],
    "CONNECT": [request("CONNECT", "shop.example:443"), 501],
    "TRACE": [request("TRACE"), 405, ["allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"]],
    "TRACK": [request("TRACK"), 405, ["allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"]],
    "gRPC": [request("POST", "/", ["Content-Type", "application/grpc"]), 501, ["grpc-status", "12"]],
    "gRPC of protobuf": [
      request("POST", "/", ["content-type", "application/grpc+proto"]),
      501,
      ["content-type", "application/grpc"],
    ],
    "gRPC in capitals": [request("POST", "/", ["content-type", "Application/GRPC; v=1"]), 501],
    "what only names gRPC": [request("POST", "/", ["content-type", "text/plain; a=application/grpc"]), null],
    "gRPC-Web": [request("POST", "/", ["content-type", "application/grpc-web"]), null],
    "a request that was here before": [request("GET", "/", ["via", "1.1 other, 1.1 edge"]), 508],
    "a request of another gateway": [request("GET", "/", ["via", "1.1 other"]), null],
    "any other method": [request("PROPFIND"), null],
  };

for (const [what, [head, status, field]] of Object.entries(before)) {
  Deno.test(`before a route is looked for, ${what} ${status === null ? "goes on" : `is answered ${status}`}`, () => {
    const refusal = refusalBeforeRouting({ head, unacceptable: null }, LIMITS, "edge");
    assertEquals(refusal?.status ?? null, status);
    if (field === undefined) return;
    const { answer } = answerTo(refusal!);
    assertEquals(headerValue(answer.headers, field[0]!), field[1]);
  });
}

Deno.test("what a listener finds unacceptable is answered as it says, and its connection not used again", () => {
  const unacceptable = { status: 431, error: "http_request_error", message: "too many header lines" };
  // Its head may be incomplete: nothing else is looked for in it.
  const head = request("TRACE", "/".padEnd(2_000, "x"));
  const refusal = refusalBeforeRouting({ head, unacceptable }, LIMITS, "edge")!;
  const { answer, text } = answerTo(refusal);
  assertEquals([answer.status, text], [431, `431 ${answer.reason}: too many header lines\n`]);
  assertEquals(headerValue(answer.headers, "connection"), "close");
});

Deno.test("an answer to gRPC has no body, which its clients would not read", () => {
  const { head } = { head: request("POST", "/", ["content-type", "application/grpc"]) };
  const { text, length } = answerTo(refusalBeforeRouting({ head, unacceptable: null }, LIMITS, "edge")!);
  assertEquals([text, length], ["", 0]);
});

Deno.test("OPTIONS is for this hop when it has no forwards left, and nothing else is", () => {
  const forwards = (value: string) => ["max-forwards", value];
  const asked = [
    request("OPTIONS", "*", forwards("0")),
    request("OPTIONS", "*", forwards("00")),
    request("OPTIONS", "*", [...forwards("5"), ...forwards("0")]),
    request("OPTIONS", "*", forwards("10")),
    request("OPTIONS", "*", forwards("01")),
    request("OPTIONS", "*"),
    request("GET", "/", forwards("0")),
  ];
  assertEquals(asked.map((head) => isForThisHop({ head })), [true, true, true, false, false, false, false]);
});
