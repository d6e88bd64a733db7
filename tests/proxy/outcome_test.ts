import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { answerFor, describeFailure, type Failure, isGatewayStatus } from "../../src/proxy/outcome.ts";

const detail = "10.0.0.1 said no";

for (
  const [failure, status, error, words] of [
    [{ kind: "refused", sent: false, reused: false, detail }, 502, "connection_refused", "refused"],
    [{ kind: "tlsFailed", sent: false, reused: false, detail }, 502, "tls_protocol_error", "TLS"],
    [
      { kind: "timedOut", phase: "connect", sent: false, reused: false, detail },
      504,
      "connection_timeout",
      "connect",
    ],
    [
      { kind: "timedOut", phase: "tls", sent: false, reused: false, detail },
      504,
      "connection_timeout",
      "tls",
    ],
    [
      { kind: "timedOut", phase: "request", sent: false, reused: false, detail },
      504,
      "connection_timeout",
      "request",
    ],
    [
      { kind: "timedOut", phase: "head", sent: true, reused: false, detail },
      504,
      "http_response_timeout",
      "head",
    ],
    [
      { kind: "timedOut", phase: "attempt", sent: true, reused: false, detail },
      504,
      "http_response_timeout",
      "attempt",
    ],
    [
      { kind: "timedOut", phase: "request", sent: true, reused: false, detail },
      504,
      "http_response_timeout",
      "request",
    ],
    [
      { kind: "reset", phase: "head", sent: true, reused: true, answered: false, detail },
      502,
      "connection_terminated",
      "on a kept connection",
    ],
    [
      { kind: "reset", phase: "head", sent: true, reused: false, answered: true, detail },
      502,
      "http_response_incomplete",
      "reset (head)",
    ],
    [{ kind: "malformed", sent: true, reused: false, detail }, 502, "http_protocol_error", "malformed"],
  ] as readonly [Failure, number, string, string][]
) {
  Deno.test(`a failure that is ${describeFailure(failure)} is answered ${status} ${error}`, () => {
    const answer = answerFor(failure);
    assertEquals(answer, { ...answer, status: status as 502 | 504, error });
    assert(!JSON.stringify(answer).includes("10.0.0.1"));
    assertStringIncludes(describeFailure(failure), words);
  });
}

Deno.test("isGatewayStatus() holds for what says that the endpoint is in trouble", () => {
  assertEquals([200, 404, 429, 499, 500, 501, 502, 503, 504, 505].filter(isGatewayStatus), [502, 503, 504]);
});
