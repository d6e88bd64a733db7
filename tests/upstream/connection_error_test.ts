import { assertEquals } from "@std/assert";
import { connectionFailure } from "../../src/upstream/connection_error.ts";

const { BadResource, BrokenPipe, ConnectionReset, InvalidData } = Deno.errors;
const refused = new InvalidData("received fatal alert: CertificateRequired");

/** What a read or write came to -> kind and message. */
const failures: readonly (readonly [error: unknown, kind: string, message: string])[] = [
  [null, "closed", "closed by the endpoint"],
  [new ConnectionReset("os error 104"), "reset", "reset by the endpoint"],
  [new BrokenPipe("os error 32"), "reset", "reset by the endpoint"],
  [new BadResource("bad resource"), "closed", "bad resource"],
  [refused, "refused", "the endpoint asks for a client certificate"],
  [new InvalidData("received fatal alert: BadRecordMac"), "closed", "received fatal alert: BadRecordMac"],
  ["words", "closed", "words"],
];

Deno.test("connectionFailure() tells an end, a reset and a refusal apart, and where each was", () => {
  for (const [error, kind, message] of failures) {
    const failure = connectionFailure(error, "send", null);
    assertEquals([failure.kind, failure.phase, failure.message], [kind, "send", message]);
  }
});

Deno.test("connectionFailure() takes whatever follows a deadline of ours for that, in the phase that it ended", () => {
  for (const [error] of failures) {
    const { kind, phase, message } = connectionFailure(error, "head", "request");
    assertEquals([kind, phase, message], ["timedOut", "request", "no progress in time (request)"]);
  }
});
