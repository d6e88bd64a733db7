// What is refused as a host pattern, and in which words.

import { assertEquals } from "@std/assert";
import { hostPatternProblem } from "../../src/routing/host_pattern.ts";

Deno.test("hostPatternProblem() names a scheme or path before it looks for a port, and what a leading dot means elsewhere", () => {
  for (const text of ["http://a.example", "https://a.example:443/", "a.example/x", "a.example:80/x"]) {
    assertEquals(hostPatternProblem(text), "it must be a host, without scheme and path", text);
  }
  assertEquals(hostPatternProblem("a.example:80a"), "its port must be a number up to 65535");
  assertEquals(hostPatternProblem("a.example:80"), null);
  assertEquals(hostPatternProblem(".a.example"), "`*.a.example` is for all names below");
  assertEquals(hostPatternProblem("..a.example"), "it has an empty label");
});
