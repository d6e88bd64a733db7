// The site that docs/coming_from.md writes for Weir, as it stands there, over origins that answer with their name.

import { assertEquals } from "@std/assert";
import { parse } from "yaml";
import { ask } from "../support/raw_client.ts";
import { afterHead, readBody, reply, scene } from "../support/raw_origin.ts";
import { type Props, scenario } from "../support/scenario.ts";

const page = Deno.readTextFileSync(new URL("../../docs/coming_from.md", import.meta.url));
const [, example = ""] = /```yaml\n(.*?)```/s.exec(page) ?? [];

async function stage(props: Props) {
  const config = parse(example);
  const origins = await Promise.all(
    Object.entries<{ endpoints: string[] }>(config.upstreams).map(async ([name, upstream]) => {
      const headers: [string, string][] = [["X-Origin", name], ["Server", "s"]];
      const origin = await props.origin(afterHead(scene(readBody(), reply(200, { headers }))));
      upstream.endpoints = [origin.url];
      return origin;
    }),
  );
  return { loop: await props.loop({ config }), origins };
}

type Line = [name: string, value: string];
const CANARY: Line = ["X-Canary", "1"];
const OF_A_BROWSER: Line[] = [["Origin", "https://app.example.org"]];

scenario("the site of docs/coming_from.md does what stands beside its lines", async (props) => {
  const { loop, origins } = await stage(props);
  const to = (method: string, target: string, headers: Line[] = [], host = "example.org", bodyBytes = 0) => {
    const body = bodyBytes === 0 ? {} : { body: "x".repeat(bodyBytes) };
    return ask(loop.url, { method, target, headers: [["Host", host], ...headers], ...body });
  };

  const moved = await to("GET", "/a?b", [], "www.example.org");
  assertEquals([moved.status, moved.header("location")], [301, "https://example.org/a?b"]);
  const slash = [await to("GET", "/docs?a=b"), await to("GET", "/docs")];
  assertEquals(slash.map((answer) => answer.header("location")), ["/docs/?a=b", "/docs/"]);

  const home = await to("GET", "/any/page");
  assertEquals(
    ["x-origin", "x-frame-options", "server"].map((name) => home.header(name)),
    ["pages", "DENY", undefined],
  );

  const canary = await to("GET", "/api/users?x", [CANARY]);
  assertEquals(canary.header("x-origin"), "next");
  assertEquals(origins[2]!.requests.at(-1)!.target, "/users?x");

  const preflight = await to("OPTIONS", "/api/users", OF_A_BROWSER);
  const cors = await to("PUT", "/api/users", OF_A_BROWSER, "example.org", 10);
  assertEquals([preflight.status, preflight.header("access-control-allow-methods")], [204, "GET, PUT"]);
  for (const answer of [preflight, cors]) {
    assertEquals(answer.header("access-control-allow-origin"), "https://app.example.org");
  }

  assertEquals((await to("POST", "/api/users", [], "example.org", 1_048_577)).status, 413);
  const report = await to("POST", "/api/reports/7", [], "example.org", 1_048_577);
  assertEquals([report.status, report.header("x-origin")], [200, "api"]);

  const shop = await to("GET", "/shop/cart");
  assertEquals([shop.status, shop.text, shop.header("retry-after")], [503, "Back at noon.\n", "3600"]);

  const sides = new Set<string | undefined>();
  for (let i = 0; i < 10; i++) sides.add((await to("GET", "/api/users")).header("x-origin"));
  assertEquals(sides.size, 1, "splitSticky");
  assertEquals((await to("GET", "/", [], "other.example")).status, 421);
});
