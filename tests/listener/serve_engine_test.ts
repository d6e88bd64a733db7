import { assertEquals, assertNotEquals } from "@std/assert";
import { connectionEngine, KNOWN_DENO } from "../../src/listener/serve_engine.ts";

// When this fails, Deno has moved on: look at what serve_engine.ts does by names that are not public, run the
// scenarios about certificates and WebSockets over TLS with it, then name the new version there.
Deno.test("connectionEngine() knows the Deno that runs", () => {
  assertEquals(Deno.version.deno, KNOWN_DENO);
  assertNotEquals(connectionEngine(), null);
});

Deno.test("connectionEngine() touches no inside that it does not know", () => {
  for (const version of ["2.9.5", "2.9.7", "3.0.0", ""]) assertEquals(connectionEngine(version), null);
});
