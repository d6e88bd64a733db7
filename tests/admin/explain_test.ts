import { assertEquals, assertStringIncludes } from "@std/assert";
import { explanationText, latestAnswer, questionOf, withReasons } from "../../src/admin/explain.ts";
import type { RequestStory, RouteExplanation } from "../../src/messages.ts";

const route: RouteExplanation = {
  kind: "route",
  route: "users",
  passedOver: [{ route: "admin", why: "path /users/7 does not match /admin/*" }],
  upstream: "api",
  candidates: [
    {
      endpoint: "http://10.0.0.1:80",
      state: "serving",
      weight: 1,
      inFlight: 2,
      latencyMs: 3.456,
      score: 10.5,
    },
    {
      endpoint: "http://10.0.0.20:80",
      state: "ejected",
      weight: 2,
      inFlight: 0,
      latencyMs: null,
      whyNot: "ejected",
    },
  ],
  pick: "http://10.0.0.1:80",
  why: "peak_ewma: the only candidate",
};

const story: RequestStory = {
  kind: "story",
  requestId: "r-1",
  at: Date.UTC(2026, 0, 2, 3, 4, 5),
  method: "GET",
  target: "/users/7?x=%2F",
  client: "203.0.113.9",
  route: "users",
  upstream: "api",
  attempts: [
    {
      endpoint: "http://10.0.0.1:80",
      startedMs: 0.21,
      headMs: null,
      outcome: "reset before the head",
      reused: true,
      retryVerdict: "allowed: GET is idempotent",
      budgetLeft: 9.2,
    },
    { endpoint: "http://10.0.0.20:80", startedMs: 4, headMs: 9.5, outcome: "200", reused: false },
  ],
  status: 200,
  durationMs: 10.004,
  bytes: 1,
  endedBy: "complete",
};

Deno.test("explanationText() answers why a request goes where it goes", () => {
  assertEquals(
    explanationText(route),
    `route users
  not admin: path /users/7 does not match /admin/*
upstream api
  >  http://10.0.0.1:80   serving  weight 1  in flight 2  expected latency 3.46 ms  score 10.5
  -  http://10.0.0.20:80  ejected  weight 2  in flight 0  no latency yet                        not picked: ejected
pick http://10.0.0.1:80: peak_ewma: the only candidate
`,
  );
});

Deno.test("explanationText() says that no route matches, without a line for candidates", () => {
  const none = {
    ...route,
    route: null,
    upstream: null,
    candidates: [],
    pick: null,
    why: "nothing to pick from",
  };
  assertEquals(
    explanationText(none),
    "no route\n  not admin: path /users/7 does not match /admin/*\nno pick: nothing to pick from\n",
  );
});

Deno.test("explanationText() tells both attempts of a retried request", () => {
  assertEquals(
    explanationText(story),
    `GET /users/7?x=%2F
  request id r-1, from 203.0.113.9 at 2026-01-02T03:04:05.000Z
route users
upstream api
attempt 1: http://10.0.0.1:80
  started after 0.21 ms on a kept connection
  outcome: reset before the head
  retry: allowed: GET is idempotent
  retry budget left: 9.2
attempt 2: http://10.0.0.20:80
  started after 4 ms on a new connection, response head after 9.5 ms
  outcome: 200
answered 200 with 1 byte in 10 ms: complete
`,
  );
});

Deno.test("explanationText() tells of a client that left before any attempt", () => {
  const left = {
    ...story,
    route: null,
    upstream: null,
    attempts: [],
    status: null,
    bytes: 0,
    endedBy: "client left",
  };
  assertStringIncludes(
    explanationText(left),
    "no route matched\nno answer was sent with 0 bytes in 10 ms: client left",
  );
});

Deno.test("withReasons() names what fails of discovery where nothing can be picked", () => {
  const answered = {
    source: "k8s://api:http",
    endpoints: 0,
    answeredAt: 1,
    problem: null,
    failingSince: null,
  };
  const fails = { ...answered, source: "dns+http://api.test:80", problem: "no answer", failingSince: 2 };
  const unpicked = { ...route, pick: null, why: "no endpoint may take a request: 503" };
  const upstreams = [{ name: "api", discovery: [answered, fails], endpoints: [] }];
  assertEquals(withReasons(unpicked, upstreams), {
    ...unpicked,
    why: "no endpoint may take a request: 503; discovery fails: dns+http://api.test:80: no answer",
  });
  for (
    const [answer, known] of [
      [route, upstreams],
      [story, upstreams],
      [{ ...unpicked, upstream: null }, upstreams],
      [unpicked, [{ name: "api", discovery: [answered], endpoints: [] }]],
      [unpicked, [{ name: "other", discovery: [fails], endpoints: [] }]],
    ] as const
  ) assertEquals(withReasons(answer, known), answer);
});

Deno.test("withReasons() says what made an endpoint unhealthy or ejected, whether it may be picked or not", () => {
  const [serving, ejected] = route.candidates;
  const unhealthy = { ...serving!, state: "unhealthy, ejected" };
  const known = (id: string) => ({
    id,
    healthReason: "status 404",
    ejection: { until: 9, why: "5 failures" },
  });
  const endpoints = [known(ejected!.endpoint), known(serving!.endpoint)];
  const upstreams = [{ name: "api", discovery: [], endpoints }];
  const told = withReasons({ ...route, candidates: [unhealthy, ejected!] }, upstreams);
  const text = explanationText(told);
  assertStringIncludes(text, "score 10.5  status 404; 5 failures\n");
  assertStringIncludes(text, "not picked: ejected: 5 failures\n");
  const passes = [{
    name: "api",
    discovery: [],
    endpoints: [{ ...known(serving!.endpoint), ejection: null }],
  }];
  assertEquals(withReasons(route, passes), route);
});

Deno.test("latestAnswer() takes the worker that knows something, and of several the one that knows the latest", () => {
  assertEquals(latestAnswer([null, story]), story);
  assertEquals(latestAnswer([null, null]), null);
  const later = { ...story, at: story.at + 1 };
  assertEquals(latestAnswer([story, null, later]), later);
  assertEquals(latestAnswer([later, story]), later);
});

Deno.test("questionOf() reads a request, with what is not said left to its defaults", () => {
  const asked = (query: string) => questionOf(new URLSearchParams(query), "192.0.2.1");
  assertEquals(asked("path=/a%252Fb?c=d%26e"), {
    kind: "explainRequest",
    method: "GET",
    authority: "localhost",
    target: "/a%2Fb?c=d&e",
    headers: [],
    client: "192.0.2.1",
  });
  assertEquals(asked("path=/&method=POST&host=h&client=::1&header=A:%201%20&header=B:2"), {
    kind: "explainRequest",
    method: "POST",
    authority: "h",
    target: "/",
    headers: ["A", "1", "B", "2"],
    client: "::1",
  });
  const named = asked("path=/&header=X:%20%C3%A9");
  assertEquals("headers" in named && named.headers, ["X", "\xc3\xa9"], "a character for each byte");
  assertEquals(asked("id=r-1"), { kind: "explainId", requestId: "r-1" });
});

Deno.test("questionOf() writes the client's address as traffic does, whoever names it", () => {
  const clientOf = (query: string, peer: string) => {
    const question = questionOf(new URLSearchParams(query), peer);
    return "client" in question ? question.client : question;
  };
  assertEquals(clientOf("path=/", "::ffff:192.0.2.1"), "192.0.2.1");
  for (
    const [named, plain] of [
      ["::ffff:10.0.0.1", "10.0.0.1"],
      ["::ffff:a00:1", "10.0.0.1"],
      ["2001:DB8:0::0001", "2001:db8::1"],
      ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ] as const
  ) assertEquals(clientOf(`path=/&client=${named}`, "::1"), plain);
});

for (
  const [query, problem] of [
    ["", "path is missing"],
    ["path=/&host=a%00b", 'host is "a\\u0000b", must be host or host:port'],
    ["path=/&host=%22a%22", 'host is "\\"a\\"", must be host or host:port'],
    ["path=x", 'path is "x", must start with /'],
    ["path=/&hots=a", "hots is not asked for here, accepted: path, method, host, client, header"],
    ["path=/x&path=/y", "path is given 2 times, must be given once"],
    ["id=1&id=2&id=1", "id is given 3 times, must be given once"],
    ["id=1&path=/", "path is not asked for here, accepted: id"],
    ["id=", "id is empty"],
    ["path=/&header=nonsense", "header must be like `Name: value`"],
    ["path=/&header=A(:b", "header must be like `Name: value`"],
    ["path=/&header=A:b%01", "header must be like `Name: value`"],
    ["path=/&header=A:b&header=host:%20h", "Host is given as a header, must be given as host"],
    ["path=/&header=Host:%20h", "Host is given as a header, must be given as host"],
    ["path=/x%20y", 'path is "/x y", must be visible ASCII without spaces'],
    ["path=/&method=b%20d", 'method is "b d", must be a method\'s name'],
    ["path=/&host=a%20b", 'host is "a b", must be host or host:port'],
    ["path=/&client=bogus", 'client is "bogus", must be an IP address'],
  ] as const
) {
  Deno.test(`questionOf() refuses "${query}" and says why`, () => {
    assertEquals(questionOf(new URLSearchParams(query), "::1"), { problem });
  });
}

Deno.test("explanationText() lets nothing through that a terminal obeys", () => {
  const outcome = "malformed answer: 101 with Upgrade: \x9b2J\x1b[2J\x07\x7f, which nobody asked for";
  const text = explanationText({ ...story, attempts: [{ ...story.attempts[0]!, outcome }] });
  assertStringIncludes(text, String.raw`Upgrade: \x9b2J\x1b[2J\x07\x7f, which`);
});
