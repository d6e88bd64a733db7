import { assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { redirectLocation, rewriteTarget, splitTarget } from "../../src/routing/target.ts";
import { request } from "./routes.ts";

Deno.test("splitTarget() cuts at the first question mark and loses nothing", () => {
  assertEquals(splitTarget("/a?b?c"), { path: "/a", query: "?b?c" });
  assertEquals(splitTarget("/a?"), { path: "/a", query: "?" });
  assertEquals(splitTarget("/a"), { path: "/a", query: "" });
  assertEquals(splitTarget("*"), { path: "*", query: "" });
});

const STRIPPED: readonly [prefix: string, target: string, result: string][] = [
  ["/api", "/api/x?y=/api", "/x?y=/api"],
  ["/api", "/api", "/"],
  ["/api", "/api?x", "/?x"],
  ["/api", "/api/", "/"],
  ["/api", "/apix", "/apix"],
  ["/api", "/x/api", "/x/api"],
  ["/api/", "/api/x", "/x"],
  ["/", "/x", "/x"],
  ["/api", "*", "*"],
  ["/a%20b", "/a%20b/c%2Fd", "/c%2Fd"],
];

for (const [stripPrefix, target, result] of STRIPPED) {
  Deno.test(`stripping ${stripPrefix} from ${target} leaves ${result}`, () => {
    assertEquals(rewriteTarget(target, { stripPrefix }), result);
  });
}

const REPLACED: readonly [from: string, to: string, target: string, result: string][] = [
  ["/a", "/b", "/a/x?y", "/b/x?y"],
  ["/a", "/b", "/a", "/b"],
  ["/a/", "/b/", "/a/x", "/b/x"],
  ["/a", "/", "/a/x", "/x"],
  ["/a", "/", "/a", "/"],
  ["/", "/b", "/x", "/b/x"],
  ["/a", "/b", "/ab", "/ab"],
];

for (const [from, to, target, result] of REPLACED) {
  Deno.test(`replacing ${from} by ${to} makes ${target} ${result}`, () => {
    assertEquals(rewriteTarget(target, { replacePrefix: { from, to } }), result);
  });
}

Deno.test("without a rewrite the very same target goes on", () => {
  assertEquals(rewriteTarget("/a/../b//c?%zz", undefined), "/a/../b//c?%zz");
});

Deno.test("a rewritten target begins with a slash and keeps the query", () => {
  const path = fc.array(fc.constantFrom("a", "b", "", "..", "%2f"), { maxLength: 4 }).map((p) =>
    "/" + p.join("/")
  );
  fc.assert(fc.property(path, path, path, fc.string(), (from, to, start, query) => {
    for (const rewrite of [{ stripPrefix: from }, { replacePrefix: { from, to } }]) {
      const result = rewriteTarget(`${start}?${query}`, rewrite);
      assertEquals(result[0], "/");
      assertEquals(splitTarget(result).query, `?${query}`);
    }
  }));
});

const REDIRECTS: readonly [template: string, line: string, location: string][] = [
  ["https://{host}{path}", "GET example.org:8080/a?b=c", "https://example.org/a?b=c"],
  ["https://new.org{path}?from=old&{query}", "GET old.org/a?b", "https://new.org/a?from=old&b"],
  ["https://new.org/", "GET old.org/a?b", "https://new.org/"],
  ["{path}", "GET h//evil.org/x", "/evil.org/x"],
  ["{path}", "GET h/\\evil.org", "/evil.org"],
  ["https://{host}{path}", "OPTIONS h*", "https://h/"],
  ["https://{host}{path}", "GET [::1]:80/a", "https://[::1]/a"],
  ["/docs/?{query}", "GET h/docs?a=b", "/docs/?a=b"],
  ["/docs/?{query}", "GET h/docs", "/docs/"],
  ["/docs/?{query}", "GET h/docs?", "/docs/"],
  ["{path}?{query}#top", "GET h/docs", "/docs#top"],
  ["/new?from=old&{query}", "GET h/docs", "/new?from=old"],
  ["/new?{query}&from=old", "GET h/docs", "/new?from=old"],
  ["/{path}", "GET h/evil.org", "/evil.org"],
  ["/{path}{other}", "GET h/a", "/a{other}"],
];

for (const [template, line, location] of REDIRECTS) {
  Deno.test(`a redirect to ${template} leads ${line} to ${location}`, () => {
    assertEquals(redirectLocation(template, request(line)), location);
  });
}

Deno.test("a Location never holds a line break, a blank or a byte that is not ASCII", () => {
  const bytes = fc.array(fc.integer({ min: 0, max: 255 })).map((codes) => String.fromCharCode(...codes));
  fc.assert(fc.property(bytes, bytes, bytes, (template, target, authority) => {
    const head = { ...request("GET h/"), target: "/" + target, authority };
    assertMatch(redirectLocation(`${template}{path}{host}{query}`, head), /^[\x21-\x7e]*$/);
  }));
  assertEquals(redirectLocation("{path}", { ...request("GET h/"), target: "/\r\nä" }), "/%0D%0A%E4");
});
