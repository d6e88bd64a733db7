import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { AttemptPhase, Failure, Responded } from "../../src/proxy/outcome.ts";
import {
  endingOf,
  isIdempotent,
  RETRY_AFTER_MAX_MS,
  type RetryFacts,
  retryVerdict,
} from "../../src/proxy/retry_policy.ts";

const FACTS: Omit<RetryFacts, "ended"> = {
  method: "GET",
  idempotencyKeyed: false,
  replayable: true,
  attempts: 1,
  attemptsMax: 3,
  onStatus: [],
  deadlineLeftMs: Infinity,
  backoffMs: 20,
};
const detail = "";

function timedOut(phase: AttemptPhase, sent: boolean): Failure {
  return { kind: "timedOut", phase, sent, reused: false, detail };
}

function reset(phase: "send" | "head" | "body", reused: boolean, answered = false): Failure {
  return { kind: "reset", phase, sent: true, reused, answered, detail };
}

function resetUnsent(reused: boolean): Failure {
  return { kind: "reset", phase: "head", sent: false, reused, answered: false, detail };
}

/** Every way in which an attempt can fail -> reason for a retry (`free` in brackets), per kind of method. */
const FAILURES: readonly [name: string, failure: Failure, idempotent: string, other: string][] = [
  ["refused", { kind: "refused", sent: false, reused: false, detail }, "(connect)", "(connect)"],
  ["TLS failed", { kind: "tlsFailed", sent: false, reused: false, detail }, "(connect)", "(connect)"],
  ["connect timeout", timedOut("connect", false), "(connect)", "(connect)"],
  ["TLS timeout", timedOut("tls", false), "(connect)", "(connect)"],
  ["attempt timeout before anything was sent", timedOut("attempt", false), "(connect)", "(connect)"],
  ["attempt timeout", timedOut("attempt", true), "timeout", "no"],
  ["timeout while sending", timedOut("send", true), "timeout", "no"],
  ["response head timeout", timedOut("head", true), "timeout", "no"],
  ["response body timeout", timedOut("body", true), "no", "no"],
  ["reset before anything was sent", resetUnsent(false), "(connect)", "(connect)"],
  ["reset before anything was sent on a kept connection", resetUnsent(true), "(reused)", "(reused)"],
  ["reset while sending", reset("send", false), "reset", "no"],
  ["reset while sending on a kept connection", reset("send", true), "(reused)", "no"],
  ["reset before the head", reset("head", false), "reset", "no"],
  ["reset before the head on a kept connection", reset("head", true), "(reused)", "no"],
  ["reset within the head", reset("head", false, true), "reset", "no"],
  ["reset within the head on a kept connection", reset("head", true, true), "reset", "no"],
  ["reset within the body", reset("body", false, true), "no", "no"],
  ["reset within the body on a kept connection", reset("body", true, true), "no", "no"],
  ["malformed", { kind: "malformed", sent: true, reused: false, detail }, "malformed", "no"],
  [
    "malformed on a kept connection",
    { kind: "malformed", sent: true, reused: true, detail },
    "malformed",
    "no",
  ],
];

/** The rows of docs/errors.md -> the failures that they stand for. */
const DOCUMENTED: readonly [row: string, names: string[]][] = [
  [
    "no connection: refused, no route, no name, `connectMs` or `attemptMs` over",
    ["refused", "connect timeout", "attempt timeout before anything was sent"],
  ],
  [
    "no TLS: the handshake failed, or `tlsHandshakeMs` or `attemptMs` over",
    ["TLS failed", "TLS timeout"],
  ],
  [
    "the connection ended before a byte of the request was sent: its body was waited for",
    ["reset before anything was sent", "reset before anything was sent on a kept connection"],
  ],
  [
    "a kept connection ended before a byte of the answer",
    ["reset while sending on a kept connection", "reset before the head on a kept connection"],
  ],
  [
    "a new connection ended before a byte of the answer",
    ["reset while sending", "reset before the head"],
  ],
  [
    "the connection ended within the head of the answer",
    ["reset within the head", "reset within the head on a kept connection"],
  ],
  [
    "silence: `responseHeadMs` or `attemptMs` over, or the endpoint took nothing more of the request",
    ["attempt timeout", "timeout while sending", "response head timeout"],
  ],
  [
    "what came is not HTTP/1.1, or its head is too large",
    ["malformed", "malformed on a kept connection"],
  ],
  [
    "the body of the answer broke off or fell silent: it has begun, so it is cut",
    ["response body timeout", "reset within the body", "reset within the body on a kept connection"],
  ],
];

const IDEMPOTENT = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];
const OTHER = ["POST", "PATCH", "CONNECT", "LOCK", "get", "BREW"];

/** The verdict in the words of the table. */
function told(facts: Partial<RetryFacts> & Pick<RetryFacts, "ended">): string {
  const verdict = retryVerdict({ ...FACTS, ...facts });
  if (!verdict.retry) return "no";
  return verdict.free ? `(${verdict.reason})` : verdict.reason;
}

for (const [name, ended, idempotent, other] of FAILURES) {
  Deno.test(`retryVerdict() after ${name}: ${idempotent} for GET, ${other} for POST`, () => {
    for (const method of IDEMPOTENT) assertEquals(told({ ended, method }), idempotent, method);
    for (const method of OTHER) assertEquals(told({ ended, method }), other, method);
    for (const method of OTHER) {
      assertEquals(told({ ended, method, idempotencyKeyed: true }), idempotent, method);
    }
  });
}

Deno.test("docs/errors.md tells of every failure what retryVerdict() says", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/errors.md", import.meta.url));
  const word = (verdict: string) => verdict.startsWith("(") ? "free" : verdict === "no" ? "no" : "yes";
  for (const [row, names] of DOCUMENTED) {
    for (const name of names) {
      const [, , idempotent, other] = FAILURES.find(([known]) => known === name)!;
      assertStringIncludes(page, `\n| ${row} | ${word(idempotent)} | ${word(other)} |\n`);
    }
  }
  assertEquals(DOCUMENTED.flatMap(([, names]) => names).sort(), FAILURES.map(([name]) => name).sort());
});

for (
  const [name, hindrance] of [
    ["the last attempt", { attempts: 3 }],
    ["one attempt when one is all", { attemptsMax: 1 }],
    ["the deadline", { deadlineLeftMs: 0 }],
    ["a body that is not kept", { replayable: false }],
  ] as const
) {
  Deno.test(`retryVerdict() is no after ${name}, whatever failed`, () => {
    for (const [, ended] of FAILURES) assertEquals(told({ ended, ...hindrance }), "no");
    const ended = { kind: "status", status: 503, unasked: false, retryAfterMs: null } as const;
    assertEquals(told({ ended, onStatus: [503], ...hindrance }), "no");
  });
}

Deno.test("retryVerdict() after an answer that crossed its request: at once for GET, no for POST", () => {
  const ended = { kind: "status", status: 408, unasked: true, retryAfterMs: 5_000 } as const;
  for (const method of IDEMPOTENT) assertEquals(told({ ended, method }), "(reused)", method);
  for (const method of OTHER) assertEquals(told({ ended, method }), "no", method);
});

for (
  const [status, onStatus, retryAfterMs, deadlineLeftMs, expected] of [
    [503, [], null, Infinity, "no"],
    [503, [502, 503], null, Infinity, "status"],
    [504, [502, 503], null, Infinity, "no"],
    [503, [503], 0, Infinity, "status"],
    [503, [503], RETRY_AFTER_MAX_MS, Infinity, "status"],
    [503, [503], RETRY_AFTER_MAX_MS + 1, Infinity, "no"],
    [503, [503], 500, 501, "status"],
    [503, [503], 500, 500, "no"],
  ] as const
) {
  const ended = { kind: "status", status, unasked: false, retryAfterMs } as const;
  Deno.test(`retryVerdict() after ${status} with onStatus [${onStatus}], Retry-After ${retryAfterMs}, ${deadlineLeftMs} ms left: ${expected}`, () => {
    assertEquals(told({ ended, onStatus, deadlineLeftMs }), expected);
    assertEquals(told({ ended, onStatus, deadlineLeftMs, method: "POST" }), "no");
  });
}

for (const [retryAfterMs, backoffMs, expected] of [[700, 20, 700], [0, 20, 20], [null, 20, 20]] as const) {
  Deno.test(`retryVerdict() waits ${expected} ms after Retry-After ${retryAfterMs} with a backoff of ${backoffMs} ms`, () => {
    const ended = { kind: "status", status: 503, unasked: false, retryAfterMs } as const;
    const verdict = retryVerdict({ ...FACTS, ended, onStatus: [503], backoffMs });
    assert(verdict.retry && verdict.waitMs === expected);
  });
}

Deno.test("retryVerdict() is no when the backoff is past the deadline, unless the retry needs none", () => {
  for (const [name, ended, idempotent] of FAILURES) {
    const free = idempotent.startsWith("(");
    assertEquals(told({ ended, deadlineLeftMs: 20 }), free ? idempotent : "no", name);
    assertEquals(told({ ended, deadlineLeftMs: 21 }), idempotent, name);
  }
  const verdict = retryVerdict({ ...FACTS, ended: reset("head", false), deadlineLeftMs: 20 });
  assertEquals(verdict, { retry: false, why: "the wait before a retry is past the deadline" });
});

Deno.test("retryVerdict() never sends a POST twice once a byte of it was sent", () => {
  for (const [name, ended] of FAILURES) {
    if (ended.sent) assertEquals(told({ ended, method: "POST" }), "no", name);
  }
});

Deno.test("retryVerdict() says why not in words", () => {
  const ended = reset("head", false);
  const verdict = retryVerdict({ ...FACTS, ended, method: "POST" });
  assertEquals(verdict, { retry: false, why: "POST may have been processed" });
  for (
    const [retryAfterMs, why] of [[600, "Retry-After is past the deadline"], [
      RETRY_AFTER_MAX_MS + 1,
      "Retry-After asks for more than a retry waits",
    ]] as const
  ) {
    const asked = { kind: "status", status: 503, unasked: false, retryAfterMs } as const;
    const facts = { ...FACTS, ended: asked, onStatus: [503], deadlineLeftMs: 600 };
    assertEquals(retryVerdict(facts), { retry: false, why });
  }
});

Deno.test("endingOf() reads a Retry-After in seconds, and takes a date for none", () => {
  const values: readonly (readonly [value: string | null, ms: number | null])[] = [
    [null, null],
    ["0", 0],
    ["1", 1_000],
    ["120", 120_000],
    ["999999", 999_999_000],
    ["1000000", null],
    ["", null],
    ["-1", null],
    ["1.5", null],
    ["1s", null],
    ["Fri, 31 Dec 1999 23:59:59 GMT", null],
  ];
  for (const [value, retryAfterMs] of values) {
    const headers = ["Date", "1", ...(value === null ? [] : ["RETRY-after", value])];
    const outcome = { kind: "response", head: { status: 503, headers, persistent: true } };
    assertEquals(
      endingOf(outcome as unknown as Responded, false),
      { kind: "status", status: 503, unasked: false, retryAfterMs },
      `${value}`,
    );
  }
  const failure = reset("head", true);
  assertEquals(endingOf(failure, true), failure);
});

Deno.test("isIdempotent() knows methods by their exact spelling", () => {
  assertEquals([...IDEMPOTENT, ...OTHER].filter(isIdempotent), IDEMPOTENT);
});
