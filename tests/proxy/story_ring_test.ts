import { assertEquals } from "@std/assert";
import { AttemptRecord, RequestRecord } from "../../src/proxy/record.ts";
import { StoryRing } from "../../src/proxy/story_ring.ts";
import { requestHead } from "../support/request_head.ts";

const ARRIVAL = 971_186_136_045;

function recordOf(requestId: string, target = "/a"): RequestRecord {
  const record = new RequestRecord(requestHead({ target }), 1_000);
  record.requestId = requestId;
  record.clientAddress = "203.0.113.9";
  record.status = 200;
  record.endedAt = 1_007;
  record.delivery = { kind: "complete", bytes: 12 };
  const attempt = new AttemptRecord("http://a:1", 1_001);
  attempt.headAt = 1_004.5;
  attempt.status = 200;
  attempt.reused = true;
  record.addAttempt(attempt);
  return record;
}

Deno.test("StoryRing.find() tells a request that went straight as its record would", () => {
  const ring = new StoryRing(4);
  const record = recordOf("r1", "/a?b=\xe9");
  ring.keep(record, ARRIVAL);
  assertEquals(ring.find("r1"), record.story(ARRIVAL));
});

Deno.test("StoryRing.find() tells a request that was tried twice as its record would", () => {
  const ring = new StoryRing(4);
  const record = recordOf("r1");
  record.attempts[0]!.status = 0;
  record.attempts[0]!.outcome = "refused: connection refused";
  record.attempts[0]!.retryVerdict = "yes: connect";
  record.addAttempt(new AttemptRecord("http://b:1", 1_002));
  ring.keep(record, ARRIVAL);
  assertEquals(ring.find("r1"), record.story(ARRIVAL));
});

Deno.test("StoryRing.find() knows the last N requests, the latest of an id first, and no others", () => {
  const ring = new StoryRing(3);
  for (const [id, target] of [["r1", "/1"], ["r2", "/2"], ["r3", "/3"], ["r2", "/4"]]) {
    ring.keep(recordOf(id!, target!), ARRIVAL);
  }
  const targets = ["r1", "r2", "r3"].map((id) => ring.find(id)?.target ?? null);
  assertEquals(targets, [null, "/4", "/3"]);
});

Deno.test("StoryRing.find() forgets what a slot held before, whatever kind it was", () => {
  const ring = new StoryRing(1);
  const failed = recordOf("r1");
  failed.cause = "connection_refused";
  ring.keep(failed, ARRIVAL);
  ring.keep(recordOf("r2"), ARRIVAL);
  assertEquals(ring.find("r1"), null);
  assertEquals(ring.find("r2")?.endedBy, "complete");
  ring.keep(failed, ARRIVAL);
  assertEquals(ring.find("r1")?.endedBy, "complete: connection_refused");
});

for (const [kind, cause] of [["that went straight", ""], ["that failed", "connection_refused"]]) {
  Deno.test(`StoryRing keeps 256 bytes of the target of a request ${kind}, and says that there were more`, () => {
    const ring = new StoryRing(2);
    for (const [id, length] of [["r1", 255], ["r2", 256]] as const) {
      const record = recordOf(id, "/" + "a".repeat(length));
      record.cause = cause!;
      ring.keep(record, ARRIVAL);
    }
    assertEquals(ring.find("r1")?.target, "/" + "a".repeat(255));
    assertEquals(ring.find("r2")?.target, "/" + "a".repeat(255) + "...");
  });
}

Deno.test("StoryRing keeps 256 bytes of how a request ended", () => {
  const ring = new StoryRing(1);
  const record = recordOf("r1");
  record.cause = "http_request_denied";
  record.message = `an upgrade to ${"a".repeat(30_000)} cannot pass here`;
  ring.keep(record, ARRIVAL);
  assertEquals(
    ring.find("r1")?.endedBy,
    `${`complete: ${record.cause}: ${record.message}`.slice(0, 256)}...`,
  );
});

Deno.test("StoryRing.resize() forgets, and a ring of nothing keeps nothing", () => {
  const ring = new StoryRing(0);
  ring.keep(recordOf("r1"), ARRIVAL);
  assertEquals([ring.off, ring.find("r1")], [true, null]);
  ring.resize(1);
  ring.keep(recordOf("r2"), ARRIVAL);
  assertEquals([ring.off, ring.find("r2")?.requestId], [false, "r2"]);
});

Deno.test("a story tells whether the endpoint or the request broke off, when its answer was cut", () => {
  const record = recordOf("r1");
  record.delivery = { kind: "truncated", bytes: 4, error: new Error() };
  const words = ["http_response_incomplete", "http_request_error"].map((cause) => {
    record.cause = cause;
    return record.story(ARRIVAL).endedBy;
  });
  assertEquals(words, [
    "endpoint broke off: http_response_incomplete",
    "request broke off: http_request_error",
  ]);
});
