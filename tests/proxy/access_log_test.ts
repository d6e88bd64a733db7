import { assertEquals, assertMatch } from "@std/assert";
import type { PodEvent } from "../../src/admin/view.ts";
import { combinedLine, jsonLine, type LineFormat } from "../../src/proxy/access_line.ts";
import { AccessLog } from "../../src/proxy/access_log.ts";
import { LineBuffer } from "../../src/proxy/access_line_buffer.ts";
import { AttemptRecord, RequestRecord } from "../../src/proxy/record.ts";
import { accessLogSchema } from "../../src/config/schema.ts";
import type { RequestHead } from "../../src/exchange.ts";
import type { RouteSnapshot } from "../../src/messages.ts";
import type { Upstream } from "../../src/upstream/upstream.ts";
import { requestHead } from "../support/request_head.ts";
import { StillTime } from "../support/still_time.ts";

const ARRIVAL = Date.UTC(2000, 9, 10, 13, 55, 36, 45);

function recordOf(head: Partial<RequestHead> = {}): RequestRecord {
  const fixed = { target: "/a?b=c", authority: "shop.example" };
  const record = new RequestRecord(requestHead({ ...fixed, ...head }), 1_000);
  record.clientAddress = "203.0.113.9";
  record.requestId = "r-1";
  record.status = 200;
  record.endedAt = 1_012.3456;
  record.delivery = { kind: "complete", bytes: 42 };
  record.bytesIn = 7;
  return record;
}

/** The one line that a format makes; the buffer is too small at first. */
function lineOf(format: LineFormat, record: RequestRecord, target: string): string {
  const buffer = new LineBuffer(8);
  format(buffer, record, target, ARRIVAL);
  const line = new TextDecoder().decode(buffer.take());
  assertEquals([line.indexOf("\n"), buffer.length], [line.length - 1, 0]);
  return line.slice(0, -1);
}

Deno.test("jsonLine() is one JSON object with everything that is known", () => {
  const record = recordOf({
    scheme: "https",
    headers: ["traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
  });
  const refused = new AttemptRecord("http://a:1", 1_001);
  refused.outcome = "refused";
  refused.retryVerdict = "yes: connect";
  const answered = new AttemptRecord("http://b:1", 1_002);
  answered.headAt = 1_004.5;
  answered.status = 200;
  answered.reused = true;
  record.addAttempt(refused);
  record.addAttempt(answered);
  assertEquals(JSON.parse(lineOf(jsonLine, record, "/a?b=c")), {
    time: "2000-10-10T13:55:36.045Z",
    client: "203.0.113.9",
    method: "GET",
    target: "/a?b=c",
    host: "shop.example",
    version: "1.1",
    status: 200,
    durationMs: 12.346,
    bytesIn: 7,
    bytesOut: 42,
    endpoint: "http://b:1",
    attempts: [
      { endpoint: "http://a:1", outcome: "refused", reused: false, verdict: "yes: connect" },
      { endpoint: "http://b:1", outcome: "200", headMs: 2.5, reused: true },
    ],
    requestId: "r-1",
    trace: "0af7651916cd43dd8448eb211c80319c",
    tls: true,
    end: "complete",
  });
});

Deno.test("docs/logs.md tells every field of a request's line, and every event", async () => {
  const record = recordOf({
    scheme: "https",
    headers: ["traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
  });
  const attempt = Object.assign(new AttemptRecord("http://a:1", 1_001), {
    headAt: 1_002,
    retryVerdict: "no",
  });
  record.addAttempt(attempt);
  Object.assign(record, { route: { name: "r" }, upstream: { name: "u" }, cause: "c", message: "m" });
  record.close = { code: 1000, by: "client" };
  const { attempts, close, ...line } = JSON.parse(lineOf(jsonLine, record, "/"));
  const fields = [
    ...Object.keys(line),
    ...Object.keys(attempts[0]).map((key) => `attempts[].${key}`),
    ...Object.keys(close).map((key) => `close.${key}`),
  ];
  const events: Record<PodEvent["kind"], true> = {
    health: true,
    ejection: true,
    discovery: true,
    reload: true,
    worker: true,
    drain: true,
    start: true,
    certificate: true,
  };
  const page = await Deno.readTextFile(new URL("../../docs/logs.md", import.meta.url));
  const told = [...page.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, names = ""]) =>
    names.match(/[\w.[\]]+/g)!
  );
  assertEquals(told.sort(), [...fields, "event", ...Object.keys(events)].sort());
});

Deno.test("jsonLine() says where each request went, whatever it remembers of those before", () => {
  const routes = ["a", 'b "quoted"'].map((name) => ({ name }) as RouteSnapshot);
  const upstreams = [{ name: "u" }, { name: "v" }].map((upstream) => upstream as Upstream);
  for (let i = 0; i < 3_000; i++) {
    const [route, upstream] = [routes[i % 2]!, upstreams[i % 3] ?? null];
    const endpoint = `http://10.0.0.${i % 1_100}:1`;
    const record = Object.assign(recordOf(), { route, upstream });
    record.addAttempt(Object.assign(new AttemptRecord(endpoint, 1_000), { status: 204 }));
    const line = JSON.parse(lineOf(jsonLine, record, "/"));
    assertEquals([line.route, line.upstream, line.endpoint, line.attempts], [
      route.name,
      upstream?.name,
      endpoint,
      [{ endpoint, outcome: "204", reused: false }],
    ]);
  }
});

Deno.test("jsonLine() tells the time of each request", () => {
  for (const epochMs of [ARRIVAL, ARRIVAL + 954, ARRIVAL + 955.9, ARRIVAL - 46]) {
    const buffer = new LineBuffer(8);
    jsonLine(buffer, recordOf(), "/", epochMs);
    const { time } = JSON.parse(new TextDecoder().decode(buffer.take()));
    assertEquals(time, new Date(epochMs).toISOString());
  }
});

Deno.test("jsonLine() says 499, and why, when the client left before an answer", () => {
  const record = recordOf();
  record.status = 0;
  record.delivery = null;
  record.cause = "connection_terminated";
  const { status, end, cause, bytesOut } = JSON.parse(lineOf(jsonLine, record, "/"));
  assertEquals([status, end, cause, bytesOut], [499, "clientGone", "connection_terminated", 0]);
});

const EVERY_BYTE = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));

Deno.test("jsonLine() stays one line, and true to every byte, whatever the client sends", () => {
  const line = lineOf(jsonLine, recordOf({ authority: EVERY_BYTE }), EVERY_BYTE);
  // deno-lint-ignore no-control-regex
  assertEquals(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(line), false);
  const { target, host } = JSON.parse(line);
  assertEquals([target, host], [EVERY_BYTE, EVERY_BYTE]);
});

Deno.test("jsonLine() writes what is beyond latin-1 as UTF-8", () => {
  const record = recordOf();
  record.cause = "größer als 1 MB — 大";
  assertEquals(JSON.parse(lineOf(jsonLine, record, "/")).cause, record.cause);
});

Deno.test("jsonLine() tells times to the microsecond", () => {
  for (
    const [ms, told] of [[0, 0], [0.0004, 0], [0.0006, 0.001], [7.05, 7.05], [999.9996, 1_000], [
      86_400_000.5,
      86_400_000.5,
    ]]
  ) {
    const record = recordOf();
    record.endedAt = 1_000 + ms!;
    assertEquals(JSON.parse(lineOf(jsonLine, record, "/")).durationMs, told);
  }
});

Deno.test("combinedLine() is the combined format, and no header can forge another field or line", () => {
  const headers = ["Referer", 'x" 200 1 "\n10.0.0.1 - -', "User-Agent", EVERY_BYTE];
  const line = lineOf(combinedLine, recordOf({ headers }), "/a?b=c");
  assertEquals(
    line.slice(0, 107),
    '203.0.113.9 - - [10/Oct/2000:13:55:36 +0000] "GET /a?b=c HTTP/1.1" 200 42 "x\\x22 200 1 \\x22\\x0a10.0.0.1 - -',
  );
  assertMatch(line, /^[\x20-\x7e]*$/);
  assertEquals(line.match(/"/g)!.length, 6);
});

/** What a log with this configuration writes of these requests. */
function logged(config: Record<string, unknown>, records: readonly RequestRecord[], draw = 0.5): string[] {
  let written = "";
  const write = (lines: Uint8Array) => written += new TextDecoder().decode(lines);
  const { wheel } = new StillTime();
  const log = new AccessLog(accessLogSchema.parse(config), wheel, () => draw, write);
  for (const record of records) log.record(record, ARRIVAL);
  log.flush();
  return written.split("\n").slice(0, -1);
}

Deno.test("AccessLog.record() leaves the query out when it is to be redacted", () => {
  const [line = ""] = logged({ redactQuery: true }, [recordOf({ target: "/a?token=secret" })]);
  assertEquals(JSON.parse(line).target, "/a?-");
});

Deno.test("AccessLog.record() writes one request in N, and every failure", () => {
  const failed = recordOf();
  failed.status = 502;
  failed.cause = "connection_refused";
  assertEquals(logged({ sampleOneIn: 4 }, [recordOf(), failed], 0.25).length, 1);
  assertEquals(logged({ sampleOneIn: 4 }, [recordOf(), failed], 0.24).length, 2);
  assertEquals(logged({ format: "errors" }, [recordOf(), failed]).length, 1);
  assertEquals(logged({ format: "off" }, [recordOf(), failed]).length, 0);
});

Deno.test("AccessLog.record() takes for failures what docs/errors.md says", () => {
  const cases: [what: string, change: (record: RequestRecord) => void, failed: boolean][] = [
    ["an endpoint's 404", (record) => record.status = 404, false],
    ["an endpoint's 500", (record) => record.status = 500, true],
    ["a refusal", (record) => Object.assign(record, { status: 404, cause: "destination_not_found" }), true],
    [
      "a client that left before the answer",
      (record) => Object.assign(record, { status: 0, delivery: null }),
      false,
    ],
    ["a client that left within it", (record) => record.delivery = { kind: "clientGone", bytes: 1 }, false],
    [
      "an answer that broke off",
      (record) => record.delivery = { kind: "truncated", bytes: 1, error: new Error() },
      true,
    ],
  ];
  for (const [what, change, failed] of cases) {
    const record = recordOf();
    change(record);
    assertEquals(logged({ format: "errors" }, [record]).length, failed ? 1 : 0, what);
  }
});

Deno.test("AccessLog.record() hands over whole lines, in batches, whatever their length", () => {
  const batches: string[] = [];
  const { wheel } = new StillTime();
  const write = (lines: Uint8Array) => batches.push(new TextDecoder().decode(lines));
  const log = new AccessLog(accessLogSchema.parse({}), wheel, () => 0.5, write);
  const targets = Array.from({ length: 400 }, (_, i) => "/" + "x".repeat(i === 50 ? 100_000 : i));
  for (const target of targets) log.record(recordOf({ target }), ARRIVAL);
  log.flush();
  assertEquals(batches.every((batch) => batch.endsWith("\n")), true);
  assertEquals(batches.join("").trimEnd().split("\n").map((line) => JSON.parse(line).target), targets);
  assertEquals(batches.length > 2 && batches.length < 10, true, `${batches.length} batches`);
});

Deno.test("AccessLog.record() never writes what may be secret", () => {
  const headers = ["Authorization", "Bearer secret", "Cookie", "session=secret"];
  for (const format of ["json", "combined"]) {
    const [line = "secret"] = logged({ format }, [recordOf({ headers })]);
    assertEquals(line.includes("secret"), false);
  }
});

Deno.test("neither format lets a character of any width end a line or a field", () => {
  const odd = '/q\u010a\u0122\u015c\u2028\ud83d\x85"\\\n';
  const record = recordOf({ method: "A\u010a", headers: ["user-agent", odd, "referer", odd] });
  const json = JSON.parse(lineOf(jsonLine, record, odd));
  assertEquals([json.method, json.target], ["A\u010a", odd]);
  const escaped = String.raw`/q\u010a\u0122\u015c\u2028\ud83d\x85\x22\x5c\x0a`;
  assertEquals(
    lineOf(combinedLine, record, odd),
    String.raw`203.0.113.9 - - [10/Oct/2000:13:55:36 +0000] "A\u010a ${escaped} HTTP/1.1" 200 42 ` +
      `"${escaped}" "${escaped}"`,
  );
});

Deno.test("LineBuffer.text() writes no other character than it was given, or a question mark", () => {
  const buffer = new LineBuffer(1);
  buffer.text("a\u010a\u0122\xe9~");
  assertEquals(new TextDecoder().decode(buffer.take()), "a???~");
});
