// What spans say at the edges: of requests without a query, an answer or a port.

import { assertEquals } from "@std/assert";
import {
  clientAttributes,
  failedAs,
  finalAttributes,
  serverAttributes,
} from "../../src/tracing/attributes.ts";
import type { EndedRequest, TracedAttempt } from "../../src/tracing/tracer.ts";
import { requestHead } from "../support/request_head.ts";

const ENDED: EndedRequest = {
  requestId: "r-1",
  clientAddress: "203.0.113.9",
  route: null,
  upstream: null,
  status: 200,
  delivery: { kind: "complete" },
  bytesIn: 0,
  bytesOut: 0,
  cause: "",
  endedAt: 2,
};
const ATTEMPT: TracedAttempt = { startedAt: 1, headAt: 2, outcome: "200", reused: false };

const arrived = (target: string, authority = "a.test") => ({
  head: requestHead({ target }),
  scheme: "https",
  authority,
  peer: "192.0.2.1",
  startedAt: 1,
  redactQuery: false,
});

const attempted = (attempt: Partial<TracedAttempt>, request: EndedRequest | null = ENDED, target = "/x") =>
  clientAttributes(
    "GET",
    {
      attempt: { ...ATTEMPT, ...attempt },
      to: { scheme: "http", host: "::1", port: 80, target },
      resends: 0,
    },
    false,
    request,
  );

Deno.test("serverAttributes() has a query only where there is one, and the scheme's port where none is written", () => {
  for (const redactQuery of [false, true]) {
    assertEquals("url.query" in serverAttributes({ ...arrived("/x"), redactQuery }), false);
  }
  assertEquals(serverAttributes(arrived("/x?a=b"))["url.query"], "a=b");
  for (const [authority, port] of [["a.test", 443n], ["a.test:", 443n], ["a.test:81", 81n]] as const) {
    assertEquals(
      serverAttributes(arrived("/", authority))["server.port"],
      port as unknown as number,
      authority,
    );
  }
});

Deno.test("finalAttributes() has no status where no answer was begun", () => {
  assertEquals(
    "http.response.status_code" in finalAttributes({ ...ENDED, status: 0, delivery: null }),
    false,
  );
});

Deno.test("failedAs() is of answers from 500 on, and of those that were cut", () => {
  assertEquals(failedAs({ ...ENDED, status: 499 }), null);
  assertEquals(failedAs({ ...ENDED, status: 500 }), "500");
  const cut = { ...ENDED, delivery: { kind: "truncated" }, cause: "http_response_incomplete" };
  assertEquals(failedAs(cut), "http_response_incomplete");
});

Deno.test("clientAttributes() says where the attempt went, and how it failed", () => {
  assertEquals(attempted({})["url.full"], "http://[::1]:80/x");
  assertEquals(attempted({}, ENDED, "/x?a")["url.full"], "http://[::1]:80/x?a");
  const cut = { ...ENDED, delivery: { kind: "truncated" } };
  const failures: [Partial<TracedAttempt>, EndedRequest | null, string | undefined][] = [
    [{ outcome: "399" }, ENDED, undefined],
    [{ outcome: "400" }, ENDED, "400"],
    [{}, cut, "truncated"],
    [{}, null, undefined],
    [{ headAt: 0, outcome: "" }, ENDED, undefined],
    [{ headAt: 0, outcome: "client left" }, ENDED, undefined],
    [{ headAt: 0, outcome: "TLS failed: certificate expired" }, ENDED, "TLS failed"],
  ];
  for (const [attempt, request, type] of failures) {
    assertEquals(attempted(attempt, request)["error.type"], type, attempt.outcome);
  }
});
