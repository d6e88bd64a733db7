import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { READINGS, readsOneWay } from "../../src/routing/readings.ts";

const [strict, lenient] = READINGS;

for (
  const [path, strictly, leniently] of [
    ["/%7euser/%41%2d%5F", "/~user/A-_", "/~user/A-_"],
    ["/a%2fb", "/a%2Fb", "/a/b"],
    ["/a/./b/../c", "/a/c", "/a/c"],
    ["/a//../b", "/a/b", "/b"],
    ["/a//%2e%2E/b", "/a/b", "/b"],
    ["/../a/..", "/", "/"],
    ["/a/b/.", "/a/b/", "/a/b/"],
    ["/a/.b/..c/...", "/a/.b/..c/...", "/a/.b/..c/..."],
    ["/a;v=1/b;w", "/a;v=1/b;w", "/a/b"],
    ["/a\\b#c", "/a\\b#c", "/a/b"],
    ["/a%23b%3Fc%0a", "/a%23b%3Fc%0A", "/a#b?c\n"],
    ["/%7bid%7D/%2a", "/%7Bid%7D/%2A", "/%7Bid%7D/%2A"],
    ["/%zz/%4", "/%zz/%4", "/%zz/%4"],
  ] as const
) {
  Deno.test(`${path} reads strictly as ${strictly}, leniently as ${JSON.stringify(leniently)}`, () => {
    assertEquals([strict!(path), lenient!(path)], [strictly, leniently]);
  });
}

Deno.test("readsOneWay() is true only of a path that every reading leaves as it is", () => {
  const path = fc.array(fc.constantFrom(..."//..\\;#%2fFa"), { maxLength: 6 }).map((rest) =>
    "/" + rest.join("")
  );
  fc.assert(fc.property(path, (path) => {
    if (readsOneWay(path, path.length)) assertEquals(READINGS.map((read) => read(path)), [path, path]);
  }));
  assertEquals(readsOneWay("/a.b/c..", 8), true);
  assertEquals(readsOneWay("/a?b=//%2e", 2), true, "what the query holds");
});
