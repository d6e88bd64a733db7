// What a start says of its upstreams.

import { assertEquals } from "@std/assert";
import { hostFlag, upstreamLines } from "../../src/cli/banner.ts";

const plain = { weight: 1, backup: false, drain: false };

Deno.test("the banner shows endpoints as they are written, with what is not the default", () => {
  const endpoints = [
    { ...plain, id: "http://a:1", weight: 3 },
    { ...plain, id: "http://b:1" },
    { id: "http://c:1", weight: 2, backup: true, drain: true },
  ];
  assertEquals(upstreamLines("api", "round_robin", endpoints), [
    "  upstream api: round_robin over 3 endpoints",
    "    http://a:1;weight=3",
    "    http://b:1",
    "    http://c:1;weight=2;backup;drain",
  ]);
});

Deno.test("the banner counts in the singular, and counts endpoints that it does not name", () => {
  assertEquals(
    upstreamLines("a", "least_request", [{ ...plain, id: "http://a:1" }])[0],
    "  upstream a: least_request over 1 endpoint",
  );
  const many = Array.from({ length: 10 }, (_, i) => ({ ...plain, id: `http://a:${i}` }));
  assertEquals(upstreamLines("a", "round_robin", many).slice(-2), ["    http://a:7", "    and 2 more"]);
});

Deno.test("the line to try names a host where every route does", () => {
  const flagOf = (...hosts: (string | string[] | undefined)[]) =>
    hostFlag(hosts.map((host) => ({ match: host === undefined ? {} : { host } })));
  assertEquals(flagOf("*.a.org", ["*.b.org", "b.org"], "a.org:81"), " -H 'Host: b.org'");
  for (const hosts of [[], ["*.a.org"], ["a.org", undefined], ["a.org", "*"], [["a.org", "*"]]]) {
    assertEquals(flagOf(...hosts), "", JSON.stringify(hosts));
  }
});
