import { assertEquals, assertStringIncludes } from "@std/assert";
import { configSchema } from "../../src/config/schema.ts";
import { refusals } from "./helpers.ts";

Deno.test("a route's overrides hold only what the operator wrote, never the schema's defaults", () => {
  const config = configSchema.parse({
    upstreams: { api: { endpoints: ["http://10.0.0.1:80"] } },
    routes: [{ upstream: "api", timeouts: { requestMs: 5 }, retry: { attemptsMax: 1 } }],
  });
  assertEquals(config.routes[0]?.timeouts, { requestMs: 5 });
  assertEquals(config.routes[0]?.retry, { attemptsMax: 1 });
});

/** Paths that no route can have, and a part of what is said of each. */
const badPaths: readonly [string, string][] = [
  ...["/a?b", "/a#b"].map((path): [string, string] => [path, "a path ends before `?` and `#`"]),
  ...["/a b", "/a\u007f", "/\u00fc"].map((path): [string, string] => [path, "must be written as `%XX`"]),
  ...["/a*", "/*/a", "/**"].map((path): [string, string] => [path, "may only be the whole last segment"]),
  ...["/{}", "/{a", "/a{b}", "/{a}{b}"].map((path): [string, string] => [path, "must be a whole segment"]),
  ["/{a}/b/{a}", "may be there only once"],
];

Deno.test("match.path takes paths as they are sent, with {name} and * for whole segments", async () => {
  const file = (path: string) =>
    JSON.stringify({
      upstreams: { a: { endpoints: ["http://a"] } },
      routes: [{ upstream: "a", match: { path } }],
    });
  for (const path of ["/", "/a/", "/*", "/a/*", "/{a}", "/{a}/b/{b}/*", "/a%20b~"]) {
    assertEquals(await refusals({ file: file(path) }), [], path);
  }
  for (const [path, part] of badPaths) {
    const [first = "", ...others] = await refusals({ file: file(path) });
    assertStringIncludes(first, part, path);
    assertEquals(others, [], path);
  }
});
