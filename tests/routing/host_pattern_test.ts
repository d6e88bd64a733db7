// What is refused as a host pattern and in which words, and which hosts a pattern is for.

import { assertEquals } from "@std/assert";
import {
  coversName,
  effectivePort,
  hostMatches,
  hostPatternProblem,
  parseHostPattern,
  splitAuthority,
} from "../../src/routing/host_pattern.ts";

Deno.test("hostPatternProblem() names a scheme or path before it looks for a port, and what a leading dot means elsewhere", () => {
  for (const text of ["http://a.example", "https://a.example:443/", "a.example/x", "a.example:80/x"]) {
    assertEquals(hostPatternProblem(text), "it must be a host, without scheme and path", text);
  }
  assertEquals(hostPatternProblem("a.example:80a"), "its port must be a number up to 65535");
  assertEquals(hostPatternProblem("a.example:80"), null);
  assertEquals(hostPatternProblem(".a.example"), "`*.a.example` is for all names below");
  assertEquals(hostPatternProblem("..a.example"), "it has an empty label");
});

for (
  const [problem, texts] of [
    [null, ["*", "*:81", "*.a.org", "*.a.org.:1", "a.org.", "[::1]", "[::1]:0", "a.org:65535", "a_b.org"]],
    ["its port must be a number up to 65535", [
      "a.org:",
      "a.org:65536",
      "a.org:100000",
      "a.org:-1",
      "[::1]:x",
    ]],
    ["it has an empty label", ["", ":80", "a..org", "a.org..", "*.", "*.:80", "*..org", "*..", ".."]],
    ["`*` may only be the whole first label, as in `*.example.org`", ["a*.org", "a.*.org", "**", "*.*.org"]],
    ["it must be without blanks and control characters", ["a b", "a\0b", "a\x7fb"]],
    ["a name that is not ASCII must be written in its `xn--` form", ["b\xfccher.example"]],
    ["an IPv6 address must be written as `[::1]`", [
      "::1",
      "[::1",
      "fe80::1:80",
      "[::::]",
      "[a.org]",
      "*.[::1]",
      "a]b",
    ]],
  ] as const
) {
  Deno.test(`hostPatternProblem() of ${JSON.stringify(texts)} is ${problem}`, () => {
    for (const text of texts) assertEquals(hostPatternProblem(text), problem, text);
  });
}

for (
  const [pattern, hosts, others] of [
    ["*", ["a.org", "a.org:81", "[::1]:81"], []],
    ["*:80", ["a.org", "a.org:80", "a.org:"], ["a.org:81"]],
    ["a.org", ["A.org.", "a.org:81"], ["b.a.org", "a.orgs", "xa.org"]],
    ["a.org:81", ["a.org:81", "a.org.:81"], ["a.org", "a.org:80", "b.org:81"]],
    ["*.a.org", ["b.a.org", "c.b.a.org:81"], ["a.org", ".a.org", "ba.org"]],
    ["[::1]", ["[::1]", "[::1]:81"], ["[::2]", "::1"]],
  ] as const
) {
  Deno.test(`hostMatches() of ${pattern}: ${hosts.join(", ")}, not ${others.join(", ")}`, () => {
    const matching = [...hosts, ...others].filter((host) => {
      const { name, port } = splitAuthority(host);
      return hostMatches(parseHostPattern(pattern), name, effectivePort(port, "http"));
    });
    assertEquals(matching, [...hosts]);
  });
}

for (
  const [authority, name, port] of [
    ["EX.org.:80", "ex.org", 80],
    ["a.", "a", null],
    ["a:", "a", null],
    [".", ".", null],
    ["", "", null],
    ["[::1]", "[::1]", null],
    ["[::1]:81", "[::1]", 81],
    ["::1", "::1", null],
  ] as const
) {
  Deno.test(`splitAuthority() of "${authority}" is "${name}" and ${port}`, () => {
    assertEquals(splitAuthority(authority), { name, port });
  });
}

for (
  const [meet, a, b] of [
    [true, "*", "a.org"],
    [true, "*:81", "*.a.org:82"],
    [true, "*.a.org", "b.a.org"],
    [true, "*.a.org", "*.b.a.org"],
    [true, "a.org:81", "a.org"],
    [false, "*.a.org", "a.org"],
    [false, "*.a.org", "*.b.org"],
    [false, "a.org", "b.a.org"],
    [false, "a.org", "b.org"],
  ] as const
) {
  Deno.test(`${a} and ${b} ${meet ? "have a host in common" : "have no host in common"}`, () => {
    const [first, second] = [parseHostPattern(a), parseHostPattern(b)];
    assertEquals(coversName(first, second) || coversName(second, first), meet);
  });
}
