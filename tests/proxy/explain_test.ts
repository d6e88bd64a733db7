import { assertEquals } from "@std/assert";
import { OwnColumn } from "../../src/board/own.ts";
import { EndpointState, Verdicts } from "../../src/board/verdicts.ts";
import type { HeaderLines } from "../../src/exchange.ts";
import { explain } from "../../src/proxy/explain.ts";
import type { Proxy } from "../../src/proxy/proxy.ts";
import type { RawOrigin } from "../support/raw_origin.ts";
import { StillProxy } from "../support/still_proxy.ts";

const ELSEWHERE =
  "round_robin over 2 of 2 endpoints; its choice http://a.test:1 is at its limit, so the least loaded other";

/** With the endpoint of the client's cookie at its limit -> where its request goes, and why. */
const cases: Record<string, readonly [queueMax: number, waiting: number, pick: string, why: string]> = {
  "waits for it": [
    9,
    8,
    "http://a.test:1",
    "the cookie weir_affinity leads there; it is at its limit, and waited for",
  ],
  "moves where nothing waits": [0, 0, "http://b.test:1", ELSEWHERE],
  "moves where as many wait as may": [9, 9, "http://b.test:1", ELSEWHERE],
};

for (const [what, [queueMax, waiting, pick, why]] of Object.entries(cases)) {
  Deno.test(`explain() says that a sticky client whose endpoint is at its limit ${what}`, () => {
    const origins = ["a", "b"].map((name) => ({ url: `http://${name}.test:1` }) as RawOrigin);
    const { proxy, board } = new StillProxy(origins, {
      sticky: {},
      limits: { inFlightPerEndpointMax: 1, queueMax },
    });
    const { sticky, upstream } = proxy.plan(proxy.snapshot.routes[0]!).groupFor("")!;
    const cookie = sticky!.setCookieFor("http://a.test:1")!.split(";")[0]!;
    upstream.endpoint("http://a.test:1")!.lease();
    new OwnColumn(board, 1).upstreamWaiting(0).add(waiting);
    const answer = ask(proxy, ["Cookie", cookie]);
    assertEquals(answer !== null && "pick" in answer ? [answer.pick, answer.why] : answer, [pick, why]);
    proxy.retire();
  });
}

Deno.test("explain() says no reason against an endpoint that drains where the client's cookie leads there", () => {
  const origins = ["a", "b"].map((name) => ({ url: `http://${name}.test:1` }) as RawOrigin);
  const { proxy, board } = new StillProxy(origins, { sticky: {} });
  new Verdicts(board).write(0, 0, EndpointState.draining, 1_000);
  const { sticky } = proxy.plan(proxy.snapshot.routes[0]!).groupFor("")!;
  const cookie = sticky!.setCookieFor("http://a.test:1")!.split(";")[0]!;
  const told = [[], ["Cookie", cookie]].map((headers) => {
    const answer = ask(proxy, headers);
    if (answer === null || !("pick" in answer)) return answer;
    return [answer.pick, ...answer.candidates.map(({ whyNot }) => whyNot)];
  });
  assertEquals(told, [
    ["http://b.test:1", "draining", undefined],
    ["http://a.test:1", undefined, undefined],
  ]);
  proxy.retire();
});

function ask(proxy: Proxy, headers: HeaderLines) {
  return explain({
    kind: "explainRequest",
    method: "GET",
    authority: "a.test",
    target: "/",
    headers: ["Host", "a.test", ...headers],
    client: "127.0.0.1",
  }, proxy);
}
