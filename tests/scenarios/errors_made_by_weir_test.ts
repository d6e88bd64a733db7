// Every answer that Weir makes itself because a request cannot go on: its status, its cause, in both forms, and
// no word of where the upstream is.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { EndpointState, Verdicts } from "../../src/board/verdicts.ts";
import type { Header } from "../support/raw_http.ts";
import { requestText } from "../support/raw_client.ts";
import { hang, reply, replyRaw, reset, type Step } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

interface Case {
  readonly status: number;
  readonly error: string;
  readonly method?: string;
  readonly target?: string;
  readonly headers?: readonly Header[];
  readonly body?: string;
  readonly origin?: Step;
  readonly upstream?: Record<string, unknown>;
  readonly route?: Record<string, unknown>;
  readonly limits?: Record<string, unknown>;
  /** Sent before, and answered by the origin. */
  readonly first?: boolean;
  readonly unhealthy?: boolean;
}

const request = "http_request_error";
const denied = "http_request_denied";
const once = { retry: { attemptsMax: 1 } };
const cases: Record<string, Case> = {
  "a path with two readings": { status: 400, error: request, target: "/a/..%2fb" },
  "no Host": { status: 400, error: request, headers: [["Host", ""]] },
  "an unknown path": { status: 404, error: "destination_not_found", target: "/elsewhere" },
  "a method that no route takes": { status: 405, error: denied, method: "DELETE" },
  "TRACE": { status: 405, error: denied, method: "TRACE" },
  "a body that stops": {
    status: 408,
    error: request,
    method: "POST",
    headers: [["Content-Length", "10"]],
    upstream: { timeouts: { requestBodyIdleMs: 100 } },
  },
  "a body declared too large": {
    status: 413,
    error: request,
    method: "POST",
    body: "12345",
    route: { requestBodyBytesMax: 4 },
  },
  "a target that is too long": {
    status: 414,
    error: request,
    target: "/a/" + "x".repeat(100),
    limits: { targetBytesMax: 64 },
  },
  "an unknown host": { status: 421, error: "destination_not_found", headers: [["Host", "other.test"]] },
  "a second request in a second": {
    status: 429,
    error: denied,
    first: true,
    route: { rateLimit: { requestsPerSecond: 0.001, burst: 1 } },
  },
  "CONNECT": { status: 501, error: denied, method: "CONNECT", target: "weir.test:443" },
  "a reset": { status: 502, error: "connection_terminated", origin: reset(), upstream: once },
  "an answer in another protocol": {
    status: 502,
    error: "http_protocol_error",
    origin: replyRaw("SSH-2.0-x\r\n\r\n"),
    upstream: once,
  },
  "nobody to ask": {
    status: 503,
    error: "destination_unavailable",
    unhealthy: true,
    upstream: { whenAllUnhealthy: "fail" },
  },
  "silence": {
    status: 504,
    error: "http_response_timeout",
    origin: hang(),
    upstream: { ...once, timeouts: { responseHeadMs: 100 } },
  },
  "a loop": { status: 508, error: "proxy_loop_detected", first: true },
};

for (const [what, each] of Object.entries(cases)) {
  scenario(`${what} is answered ${each.status} ${each.error}`, async (props) => {
    const { method = "GET", target = "/a/b", body } = each;
    const origin = await props.origin(each.first === true ? reply(200) : each.origin ?? reply(200));
    const loop = await props.loop({
      config: {
        upstreams: { u: { endpoints: [origin.url], ...each.upstream } },
        routes: [{
          match: { host: "weir.test", path: "/a/*", method: ["GET", "POST"] },
          upstream: "u",
          ...each.route,
        }],
        limits: each.limits ?? {},
      },
    });
    if (each.unhealthy) {
      new Verdicts(loop.board).write(0, 0, EndpointState.unhealthy, 1_000);
    }
    const headers = [...each.headers ?? []];
    if (each.first === true) {
      const client = await props.client(loop);
      await client.send(requestText("GET", "/a/first"));
      assertEquals((await client.response()).status, 200);
      if (each.status === 508) headers.push(["Via", origin.requests[0]!.header("via")!]);
    }
    for (const accept of ["application/json", "text/html"]) {
      const client = await props.client(loop);
      await client.send(requestText(method, target, [...headers, ["Accept", accept]], body));
      const answer = await client.response(method);
      assertEquals(answer.status, each.status);
      assertMatch(answer.header("proxy-status")!, new RegExp(`^weir; error=${each.error}$`));
      assertEquals(answer.header("cache-control"), "no-store");
      assertEquals(
        answer.header("retry-after") !== undefined,
        [429, 503].includes(each.status),
        "Retry-After",
      );
      if (each.status === 405) assertMatch(answer.header("allow") ?? "", /GET/);
      if (accept === "application/json") {
        const told = JSON.parse(answer.text);
        assertEquals([told.status, told.error], [each.status, each.error]);
        assertEquals(told.requestId, answer.header("x-request-id"));
      } else assertMatch(answer.text, new RegExp(`^${each.status} [A-Z][A-Za-z' -]+: .+\n$`));
      const whole = answer.headers.flat().join("\n") + answer.text;
      assert(!whole.includes("127.0.0.1") && !whole.includes(String(origin.port)), whole);
    }
    await until(
      "its status is logged",
      () => loop.log.some((line) => JSON.parse(line).status === each.status),
    );
  });
}

scenario("a client that leaves before an answer is logged as 499", async (props) => {
  const origin = await props.origin(hang());
  const loop = await props.loop({ upstreams: origin.url });
  const client = await props.client(loop);
  await client.send(requestText("GET", "/"));
  await origin.request(1);
  await client.reset();
  await until("its status is logged", () => loop.log.some((line) => JSON.parse(line).status === 499));
});
