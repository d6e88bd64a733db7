// A split between two upstreams, over two workers: how exact it is, and who stays where.

import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { load } from "../support/load.ts";
import { ask } from "../support/raw_client.ts";
import { reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";

const REQUESTS = 10_000;

scenario("a split of 90:10 is within 1 % over 10,000 requests and two workers", async (props) => {
  const [stable, canary] = [await props.origin(reply(200)), await props.origin(reply(200))];
  const split = [{ upstream: "stable", weight: 90 }, { upstream: "canary", weight: 10 }];
  const upstreams = { stable: { endpoints: [stable.url] }, canary: { endpoints: [canary.url] } };
  const config = { upstreams, routes: [{ name: "split", split }] };
  const weir = await props.weir({ config, workers: 2, env: { ACCESS_LOG: "off" } });
  const { answers, errors } = await load(weir.url, { requests: REQUESTS, connections: 16 });
  assertEquals([answers.get(200), errors.length], [REQUESTS, 0]);
  const share = await weir.metric("weir_upstream_requests_total", { upstream: "canary" }) / REQUESTS;
  assertLessOrEqual(Math.abs(share - 0.1), 0.001, `${share} of the requests went to the canary`);
});

scenario("with splitSticky a client stays at its side, whatever worker serves it", async (props) => {
  const side = (name: string) => props.origin(reply(200, { headers: [["X-Side", name]] }));
  const [stable, canary] = [await side("stable"), await side("canary")];
  const split = [{ upstream: "stable", weight: 1 }, { upstream: "canary", weight: 1 }];
  const upstreams = { stable: { endpoints: [stable.url] }, canary: { endpoints: [canary.url] } };
  const routes = [{ name: "split", split, splitSticky: true }];
  // Weir is told the clients' addresses by a proxy that it trusts.
  const config = { upstreams, routes, trustedProxies: ["127.0.0.1"] };
  const weir = await props.weir({ config, workers: 2, env: { ACCESS_LOG: "off" } });
  const clients = Array.from({ length: 40 }, (_, i) => `10.0.${i}.1`);
  const sides = new Map<string, Set<string>>();
  for (let round = 0; round < 5; round++) {
    for (const client of clients) {
      const answer = await ask(weir.url, { headers: [["X-Forwarded-For", client]] });
      const seen = sides.get(client) ?? new Set();
      sides.set(client, seen.add(answer.header("x-side")!));
    }
  }
  for (const [client, seen] of sides) assertEquals(seen.size, 1, `${client} was at ${[...seen]}`);
  const atCanary = [...sides.values()].filter((seen) => seen.has("canary")).length;
  assert(atCanary > 8 && atCanary < 32, `${atCanary} of 40 clients at the canary`);
});
