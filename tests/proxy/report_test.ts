// What an attempt came to -> what is counted of its endpoint.

import { assertEquals } from "@std/assert";
import type { Balancer } from "../../src/balance/balancer.ts";
import { EndpointField } from "../../src/board/fields.ts";
import type { TimeoutsConfig } from "../../src/config/schema.ts";
import { BodyError, type Delivery } from "../../src/exchange.ts";
import type { Attempt } from "../../src/proxy/attempt.ts";
import type { Group } from "../../src/proxy/group.ts";
import { type AttemptPhase, describeFailure, type Failure, type Outcome } from "../../src/proxy/outcome.ts";
import type { Proxy } from "../../src/proxy/proxy.ts";
import { AttemptRecord, type RequestRecord } from "../../src/proxy/record.ts";
import { reportDelivery, reportOutcome, reportResult } from "../../src/proxy/report.ts";
import type { RequestBody } from "../../src/proxy/request_body.ts";
import type { Endpoint } from "../../src/upstream/endpoint.ts";
import type { Lease } from "../../src/upstream/lease.ts";

const FIELDS = new Map(Object.entries(EndpointField).map(([name, field]) => [field, name]));

/** An endpoint that writes down what is counted of it. */
function endpointOf(told: string[]): Endpoint {
  return {
    totals: { add: (field: number) => told.push(FIELDS.get(field)!) },
    idleLimit: { learnFromReset: (idleMs: number) => told.push(`closes within ${idleMs}`) },
    upstream: { pool: { idleMs: 60_000 } },
    observeFailure: (ms: number) => told.push(`failure after ${ms}`),
    observeLatency: (ms: number) => told.push(`waited ${ms}`),
    countGatewayResult: (failed: boolean) => told.push(failed ? "failed" : "fine"),
  } as unknown as Endpoint;
}

/** An attempt that began at 1000 and is over at 1500. */
function reported(
  outcome: Outcome,
  body: Partial<Pick<RequestBody, "wholeAt" | "waitedSince">> = {},
  limits: Partial<TimeoutsConfig> = {},
  entry = new AttemptRecord("e", 1_000),
  balancer: Partial<Balancer> = { expectedMs: () => 0 },
): string[] {
  const told: string[] = [];
  const { wholeAt = 0, waitedSince = wholeAt === Infinity ? 0 : wholeAt } = body;
  const lease = { endpoint: endpointOf(told), reused: true, idleMs: 700 } as Lease;
  const proxy = {
    inputs: { now: () => 1_500 },
    recorder: {
      answered: (_: Endpoint, status: number, headMs: number) => told.push(`${status} after ${headMs}`),
      unanswered: () => told.push("unanswered"),
    },
  } as unknown as Proxy;
  const timeouts = {
    attemptMs: 0,
    requestMs: 0,
    connectMs: 500,
    tlsHandshakeMs: 500,
    ...limits,
  } as TimeoutsConfig;
  const attempt = { lease, input: { body: { wholeAt, waitedSince }, timeouts } } as Attempt;
  const group = { balancer, upstream: { candidates: () => ({ endpoints: [] }) } } as unknown as Group;
  reportOutcome(outcome, attempt, entry, proxy, group);
  return told;
}

function answered(kind: "response" | "switched", status: number): Outcome {
  return { kind, at: 1_400, head: { status } } as unknown as Outcome;
}

function reset(reused: boolean, begun: boolean): Outcome {
  return { kind: "reset", phase: "head", sent: true, reused, answered: begun, detail: "" };
}

function timedOut(phase: AttemptPhase, excused = false): Outcome {
  return { kind: "timedOut", phase, sent: true, reused: false, excused, detail: "" };
}

const FAILED = ["unanswered", "failure after 500", "failed"];
const NOT_TO_BLAME = ["unanswered"];

const reports: Record<string, readonly [outcome: Outcome, told: readonly string[]]> = {
  "an answer speaks for its endpoint only at its end": [answered("response", 200), ["200 after 400"]],
  "a 500 is the application's": [answered("response", 500), ["500 after 400"]],
  "a 503 is a failure": [answered("response", 503), ["503 after 400", "failed"]],
  "a 101 speaks for its endpoint": [answered("switched", 101), ["101 after 400", "fine"]],
  "a client that left is nobody's failure": [{ kind: "clientGone" }, ["waited 500"]],
  "a body that is malformed is nobody's failure": [
    { kind: "badRequestBody", cause: "malformed", detail: "" },
    [],
  ],
  "an endpoint that refuses has failed": [
    { kind: "refused", sent: false, reused: false, local: false, detail: "" },
    FAILED,
  ],
  "a lack on this side is no endpoint's fault": [
    { kind: "refused", sent: false, reused: false, local: true, detail: "" },
    NOT_TO_BLAME,
  ],
  "an endpoint that breaks off a new connection has failed": [reset(false, false), FAILED],
  "one that breaks off an answer has failed, also on a kept connection": [reset(true, true), FAILED],
  "one that closes a kept connection has not failed": [
    reset(true, false),
    ["unanswered", "failure after 500", "resetsOnReuse", "closes within 700"],
  ],
  "one that is silent has failed": [timedOut("head"), FAILED],
  "one whose client waits for 100 as well has not": [timedOut("head", true), NOT_TO_BLAME],
  "one that speaks something else has failed": [
    { kind: "malformed", sent: true, reused: false, detail: "" },
    FAILED,
  ],
  "one that speaks something else on a kept connection has failed, too": [
    { kind: "malformed", sent: true, reused: true, detail: "" },
    FAILED,
  ],
  "one that is silent on a kept connection has failed, too": [
    { kind: "timedOut", phase: "head", sent: true, reused: true, detail: "" },
    FAILED,
  ],
  "one whose certificate is bad has failed": [
    { kind: "tlsFailed", sent: false, reused: false, detail: "" },
    FAILED,
  ],
};

for (const [what, [outcome, told]] of Object.entries(reports)) {
  Deno.test(`reportOutcome(): ${what}`, () => assertEquals(reported(outcome), told));
}

/** What an attempt came to -> status, milliseconds to the head, and outcome, as they stand in its record. */
const written: readonly (readonly [outcome: Outcome, status: number, headMs: number, words: string])[] = [
  [answered("response", 200), 200, 400, "200"],
  [answered("switched", 101), 101, 400, "101"],
  [{ kind: "clientGone" }, 0, 0, "client left"],
  [{ kind: "badRequestBody", cause: "malformed", detail: "a bare LF" }, 0, 0, "request body: a bare LF"],
  [reset(true, false), 0, 0, describeFailure(reset(true, false) as Failure)],
];

Deno.test("reportOutcome() writes down what the attempt came to", () => {
  for (const [outcome, status, headMs, words] of written) {
    const entry = new AttemptRecord("e", 1_000);
    const { headAt } = entry;
    reported(outcome, {}, {}, entry);
    assertEquals([entry.reused, entry.status, entry.outcome], [true, status, words]);
    assertEquals(entry.headAt, headMs === 0 ? headAt : 1_000 + headMs);
  }
});

Deno.test("reportOutcome(): a client that left has waited since the last of its body, and not before it", () => {
  for (const [wholeAt, told] of [[1_200, ["waited 300"]], [1_500, []], [Infinity, []]] as const) {
    assertEquals(reported({ kind: "clientGone" }, { wholeAt }), [...told]);
  }
});

Deno.test("reportOutcome(): a client that left at once says nothing of how long an answer takes", () => {
  const told = (balancer: Partial<Balancer>) => {
    return reported({ kind: "clientGone" }, {}, {}, new AttemptRecord("e", 1_000), balancer);
  };
  assertEquals(told({ expectedMs: () => 499 }), ["waited 500"]);
  assertEquals(told({ expectedMs: () => 500 }), []);
  // Where latency decides nothing.
  assertEquals(told({}), []);
});

Deno.test("reportOutcome(): an endpoint's time to fail begins with the last of the body, and is none before it", () => {
  const times = [1_200, Infinity].map((wholeAt) => reported(reset(false, false), { wholeAt })[1]);
  assertEquals(times, ["failure after 300", "failure after 0"]);
});

/** Limits of a time that is over, and when the body had come whole -> whether the endpoint is to blame. */
const overtimes: readonly (readonly [limits: Partial<TimeoutsConfig>, wholeAt: number, blamed: boolean])[] = [
  [{ attemptMs: 500 }, 0, true],
  [{ attemptMs: 1_000 }, 0, true],
  [{ attemptMs: 1_001 }, 0, false],
  [{ requestMs: 1_000 }, 0, true],
  [{ requestMs: 1_001 }, 0, false],
  [{ attemptMs: 1_000, requestMs: 9_000 }, 0, true],
  [{ attemptMs: 9_000, requestMs: 1_000 }, 0, true],
  [{ attemptMs: 500 }, 1_250, true],
  [{ attemptMs: 500 }, 1_251, false],
  // It took nothing more of a body that was there.
  [{ attemptMs: 500 }, Infinity, true],
];

for (const [limits, wholeAt, blamed] of overtimes) {
  const written = JSON.stringify(limits);
  Deno.test(`reportOutcome(): out of time by ${written}, whole at ${wholeAt}: ${blamed ? "a" : "no"} failure`, () => {
    for (const phase of ["attempt", "request"] as const) {
      const told = reported(timedOut(phase), { wholeAt }, limits);
      assertEquals(told.includes("failed"), blamed);
      assertEquals(told.length, blamed ? FAILED.length : NOT_TO_BLAME.length);
    }
  });
}

/** Since when an endpoint is waited for in an upload that is still coming -> whether it is to blame. */
for (const [waitedSince, blamed] of [[1_250, true], [1_251, false]] as const) {
  Deno.test(`reportOutcome(): an upload out of time by 500, its endpoint waited for since ${waitedSince}: ${blamed ? "a" : "no"} failure`, () => {
    const told = reported(timedOut("attempt"), { wholeAt: Infinity, waitedSince }, { attemptMs: 500 });
    assertEquals(told.includes("failed"), blamed);
  });
}

Deno.test("reportOutcome(): an endpoint that stalled over a body that came whole at last is to blame", () => {
  for (const [waitedSince, blamed] of [[1_250, true], [1_251, false]] as const) {
    const told = reported(timedOut("attempt"), { wholeAt: 1_400, waitedSince }, { attemptMs: 500 });
    assertEquals(told.includes("failed"), blamed);
  }
});

Deno.test("reportOutcome(): an endpoint that took longer than a limit of its own is to blame, however much is left", () => {
  for (const phase of ["connect", "tls", "send", "head"] as const) {
    assertEquals(reported(timedOut(phase), {}, { attemptMs: 9_000, requestMs: 9_000 }), FAILED);
  }
});

/** How an answer was delivered, in what state of its attempt -> what is counted, and the cause in the log. */
function delivered(delivery: Delivery, state: Partial<Attempt> = {}, status = 200) {
  const told: string[] = [];
  const record = { delivery, cause: "" } as RequestRecord;
  const entry = Object.assign(new AttemptRecord("e", 1_000), { status });
  reportDelivery(
    record,
    endpointOf(told),
    entry,
    { excused: false, requestBroke: false, heldBack: false, ...state } as Attempt,
  );
  return [...told, record.cause];
}

function cut(error: unknown): Delivery {
  return { kind: "truncated", bytes: 1, error };
}

const INCOMPLETE = "http_response_incomplete";
const broken = new BodyError("truncated", "");
const deliveries: Record<string, readonly [had: string[], told: readonly string[]]> = {
  "a whole answer speaks for its endpoint": [delivered({ kind: "complete", bytes: 1 }), ["fine", ""]],
  "one that its client left is good as far as it went": [
    delivered({ kind: "clientGone", bytes: 1 }),
    ["fine", ""],
  ],
  "one that broke off is a failure": [delivered(cut(broken)), ["failed", "resets", INCOMPLETE]],
  "one that fell silent is one": [
    delivered(cut(new BodyError("timedOut", ""))),
    ["failed", "timeouts", INCOMPLETE],
  ],
  "one that is malformed is one": [
    delivered(cut(new BodyError("malformed", ""))),
    ["failed", "malformed", INCOMPLETE],
  ],
  "one that failed in another way is one": [delivered(cut(new Error())), ["failed", "resets", INCOMPLETE]],
  "one that was cut at its deadline is none": [delivered(cut(broken), { excused: true }), [INCOMPLETE]],
  "one that was cut for its request is none": [
    delivered(cut(broken), { excused: true, requestBroke: true }),
    ["http_request_error"],
  ],
  "one that broke off on a client that held it back is none": [
    delivered(cut(broken), { heldBack: true }),
    [INCOMPLETE],
  ],
  "one whose request could not be sent on for that is none": [
    delivered(cut(new BodyError("timedOut", "")), { heldBack: true }),
    [INCOMPLETE],
  ],
  "one that is malformed is one, whoever held it back": [
    delivered(cut(new BodyError("malformed", "")), { heldBack: true }),
    ["failed", "malformed", INCOMPLETE],
  ],
  "one with 502 has counted already": [delivered({ kind: "complete", bytes: 1 }, {}, 502), [""]],
  "one with 502 that broke off has counted already": [
    delivered(cut(broken), {}, 502),
    ["resets", INCOMPLETE],
  ],
};

for (const [what, [had, told]] of Object.entries(deliveries)) {
  Deno.test(`reportDelivery(): ${what}`, () => assertEquals(had, told));
}

Deno.test("reportResult() counts either result, and nothing where the status has", () => {
  const told: string[] = [];
  for (const status of [200, 503]) {
    const entry = Object.assign(new AttemptRecord("e", 1_000), { status });
    for (const failed of [true, false]) reportResult(failed, endpointOf(told), entry);
  }
  assertEquals(told, ["failed", "fine"]);
});
