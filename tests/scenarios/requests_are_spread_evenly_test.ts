// Round robin is exact over all workers: 20,000 requests over four endpoints are 5,000 each.

import { assert, assertEquals } from "@std/assert";
import { countingOrigin } from "../support/counting_origin.ts";
import { load } from "../support/load.ts";
import { scenario } from "../support/scenario.ts";

scenario("20,000 requests at 64 connections over four endpoints and two workers", async (props) => {
  await using stack = new AsyncDisposableStack();
  const origins = [1, 2, 3, 4].map(() => stack.use(countingOrigin()));
  const weir = await props.weir({
    upstreams: origins.map(({ url }) => url),
    workers: 2,
    env: { ACCESS_LOG: "off" },
  });
  const { answers, errors } = await load(weir.url, { requests: 20_000, connections: 64 });
  assertEquals([answers.get(200), errors], [20_000, []]);
  for (const { requests } of origins) {
    assert(Math.abs(requests - 5_000) <= 1, `shares: ${origins.map((origin) => origin.requests)}`);
  }
});

scenario("two upstreams taken in turn do not disturb each other's turn", async (props) => {
  await using stack = new AsyncDisposableStack();
  const origins = [1, 2, 3, 4].map(() => stack.use(countingOrigin()));
  const [a, b, c, d] = origins.map(({ url }) => url);
  const weir = await props.weir({
    workers: 2,
    config: {
      upstreams: { left: { endpoints: [a, b] }, right: { endpoints: [c, d] } },
      routes: [{ match: { path: "/left" }, upstream: "left" }, {
        match: { path: "/right" },
        upstream: "right",
      }],
    },
  });
  const { errors } = await load(weir.url, { requests: 400, connections: 4, targets: ["/left", "/right"] });
  assertEquals([errors, origins.map(({ requests }) => requests)], [[], [100, 100, 100, 100]]);
});
