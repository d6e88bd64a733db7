import { assert, assertEquals } from "@std/assert";
import { Board } from "../../src/board/layout.ts";
import { rateLimitSchema } from "../../src/config/schema.ts";
import { rateKey, rateOf, refuseBeyondRate } from "../../src/proxy/rate_limit.ts";
import { type Rate, RateLimiter } from "../../src/proxy/rate_limiter.ts";
import { requestHead } from "../support/request_head.ts";

/** One pod's limiter, and a second worker's on the same board, in virtual time. */
class Stage {
  nowMs = 1_000;
  readonly board: Board;
  readonly limiter: RateLimiter;
  readonly other: RateLimiter;

  constructor(rateSlotsMax = 1_024) {
    const rest = { columnsMax: 3, upstreamsMax: 1, endpointsMax: 1, routesMax: 1 };
    this.board = Board.create({ ...rest, rateSlotsMax });
    const inputs = { board: this.board, now: () => this.nowMs, random: () => 0.5, salt: "pod" };
    this.limiter = new RateLimiter(inputs);
    this.other = new RateLimiter(inputs);
  }

  /** How many of `count` requests at this moment pass. */
  passed(count: number, key: string, rate: Rate): number {
    return Array.from({ length: count }, () => this.limiter.take(key, rate)).filter((ms) => ms === 0).length;
  }
}

Deno.test("RateLimiter.take() lets a burst pass, then the rate", () => {
  const stage = new Stage();
  const rate = { requestsPerSecond: 10, burst: 5 };
  assertEquals(stage.passed(20, "a", rate), 5);
  assertEquals(stage.limiter.take("a", rate), 100);
  stage.nowMs += 99;
  assertEquals(stage.passed(1, "a", rate), 0);
  stage.nowMs += 1;
  assertEquals(stage.passed(2, "a", rate), 1);
  stage.nowMs += 60_000;
  assertEquals(stage.passed(20, "a", rate), 5);
});

Deno.test("RateLimiter.take() counts over all workers, and each key for itself", () => {
  const stage = new Stage();
  const rate = { requestsPerSecond: 1, burst: 2 };
  assertEquals([stage.limiter.take("a", rate), stage.other.take("a", rate)], [0, 0]);
  assert(stage.limiter.take("a", rate) > 0);
  assert(stage.other.take("a", rate) > 0);
  assertEquals(stage.other.take("b", rate), 0);
});

Deno.test("RateLimiter.take() holds a burst to its limit, however long that takes to come back", () => {
  const year = 365 * 86_400_000;
  for (const requestsPerSecond of [1e-4, 1e-9, Number.MIN_VALUE]) {
    const stage = new Stage();
    const rate = { requestsPerSecond, burst: 10_000 };
    assertEquals(stage.passed(20_000, "a", rate), rate.burst);
    stage.nowMs += year / 2;
    assertEquals(stage.passed(20_000, "a", rate), rate.burst / 2);
  }
});

Deno.test("RateLimiter.take() keeps odd and high rates over time", () => {
  for (const requestsPerSecond of [0.5, 3, 7.5, 1_000, 400_000]) {
    const stage = new Stage();
    let draws = 0;
    const limiter = new RateLimiter({
      board: stage.board,
      now: () => stage.nowMs,
      random: () => (draws++ % 100) / 100,
      salt: "pod",
    });
    const burst = Math.max(1, Math.ceil(requestsPerSecond / 100));
    let passed = 0;
    const seconds = requestsPerSecond > 10_000 ? 1 : 20;
    for (let ms = 0; ms < seconds * 1_000; ms++, stage.nowMs++) {
      const tries = Math.ceil(requestsPerSecond / 1_000) + 1;
      for (let i = 0; i < tries; i++) if (limiter.take("a", { requestsPerSecond, burst }) === 0) passed++;
    }
    const expected = requestsPerSecond * seconds;
    assert(
      Math.abs(passed - expected) <= burst + expected * 0.01,
      `${passed} of ${expected} at ${requestsPerSecond}`,
    );
  }
});

Deno.test("RateLimiter.take() gives the slots of idle keys to new ones", () => {
  const stage = new Stage(8);
  const rate = { requestsPerSecond: 1, burst: 1 };
  for (let round = 0; round < 5; round++) {
    for (let key = 0; key < 8; key++) {
      assertEquals(stage.limiter.take(`${round} ${key}`, rate), 0);
      assert(stage.limiter.take(`${round} ${key}`, rate) > 0, `key ${key} of round ${round} has no slot`);
    }
    stage.nowMs += 1_000;
  }
});

Deno.test("RateLimiter.take() lets requests pass for which there is no slot, and forgets nobody for them", () => {
  const stage = new Stage(8);
  const rate = { requestsPerSecond: 1, burst: 1 };
  const keys = Array.from({ length: 8 }, (_, i) => `key ${i}`);
  for (const key of keys) stage.limiter.take(key, rate);
  assertEquals(stage.passed(5, "one too many", rate), 5);
  for (const key of keys) assert(stage.limiter.take(key, rate) > 0);
});

Deno.test("RateLimiter.take() writes nothing on the board but its slots", () => {
  const stage = new Stage(64);
  for (let key = 0; key < 1_000; key++) stage.limiter.take(`key ${key}`, { requestsPerSecond: 1, burst: 1 });
  const { int32, layout } = stage.board;
  const end = layout.rateSlots + 2 * 64;
  assert(int32.subarray(layout.rateSlots, end).every((_, i, slots) => i % 2 === 1 || slots[i] !== 0));
  assertEquals([...int32.subarray(0, layout.rateSlots), ...int32.subarray(end)].filter(Boolean), []);
});

Deno.test("rateKey() says who a request counts for", () => {
  const byHeader = rateLimitSchema.parse({ requestsPerSecond: 1, key: { header: "X-Api-Key" } });
  const byHost = rateLimitSchema.parse({ requestsPerSecond: 1, key: { header: "Host" } });
  const byAddress = rateLimitSchema.parse({ requestsPerSecond: 1 });
  const table: [typeof byHeader, string[], string, string][] = [
    [byAddress, [], "192.0.2.1", "address 192.0.2.1"],
    [byAddress, [], "2001:db8:1:2:3:4:5:6", "address 2001:db8:1:2"],
    [byAddress, [], "2001:db8:1:2::9", "address 2001:db8:1:2"],
    [byHeader, ["x-API-key", "k"], "192.0.2.1", "header k"],
    [byHeader, ["Accept", "*/*", "x-api-key", "k", "X-Api-Key-Id", "7"], "192.0.2.1", "header k"],
    [byHeader, ["Accept", "*/*"], "192.0.2.1", "address 192.0.2.1"],
    [byHeader, [], "192.0.2.1", "address 192.0.2.1"],
    [byHeader, ["X-Api-Key", "k", "x-api-key", "other"], "192.0.2.1", "address 192.0.2.1"],
    [byHost, [], "192.0.2.1", "header a.test"],
    [byHost, ["Host", "overruled.test"], "192.0.2.1", "header a.test"],
  ];
  for (const [config, headers, address, key] of table) {
    assertEquals(rateKey(config, { authority: "a.test", headers }, address), key);
  }
  assertEquals(rateKey(byHost, { authority: "", headers: [] }, "192.0.2.1"), "address 192.0.2.1");
});

Deno.test("rateOf() takes one second's requests for the burst, and at least one", () => {
  for (const [requestsPerSecond, burst] of [[10, 10], [0.1, 1], [2.5, 3]] as const) {
    assertEquals(rateOf(rateLimitSchema.parse({ requestsPerSecond })), { requestsPerSecond, burst });
  }
});

Deno.test("refuseBeyondRate() begins anew when a reload changes the rate", () => {
  const stage = new Stage();
  const refused = (requestsPerSecond: number, burst: number) => {
    const config = rateLimitSchema.parse({ requestsPerSecond, burst });
    const refusal = refuseBeyondRate(stage.limiter, config, "one", requestHead(), "192.0.2.1");
    return refusal !== null;
  };
  // Two seconds at ten a second; three minutes and more at a tenth.
  for (let i = 0; i < 20; i++) assertEquals(refused(0.1, 20), false);
  assertEquals(refused(0.1, 20), true);
  assertEquals(refused(10, 20), false);
  assertEquals(refused(0.1, 21), false);
  assertEquals(refused(0.1, 20), true);
});

Deno.test("refuseBeyondRate() says when to come again, and keeps routes apart", () => {
  const stage = new Stage();
  const config = rateLimitSchema.parse({ requestsPerSecond: 0.1, burst: 1 });
  const refuse = (scope: string) =>
    refuseBeyondRate(stage.limiter, config, scope, requestHead(), "192.0.2.1");
  assertEquals([refuse("one"), refuse("two")], [null, null]);
  const refusal = refuse("one");
  assertEquals([refusal?.status, refusal?.retryAfterS], [429, 10]);
  assertEquals(refusal?.headers, [
    "RateLimit-Policy",
    '"route";q=1;w=10',
    "RateLimit",
    '"route";r=0;t=10',
  ]);
});

Deno.test("refuseBeyondRate() says no longer window than the year in which a burst is back", () => {
  for (const requestsPerSecond of [1e-9, 5e-324]) {
    const stage = new Stage();
    const config = rateLimitSchema.parse({ requestsPerSecond, burst: 1 });
    const refuse = () => refuseBeyondRate(stage.limiter, config, "one", requestHead(), "192.0.2.1");
    assertEquals(refuse(), null);
    assertEquals(refuse()?.headers?.[1], '"route";q=1;w=31536000');
  }
});

Deno.test("refuseBeyondRate() says whole seconds, and at least one", () => {
  const stage = new Stage();
  const config = rateLimitSchema.parse({ requestsPerSecond: 10, burst: 5 });
  const refuse = () => refuseBeyondRate(stage.limiter, config, "one", requestHead(), "192.0.2.1");
  for (let request = 0; request < 5; request++) assertEquals(refuse(), null);
  const { retryAfterS, headers } = refuse()!;
  assertEquals([retryAfterS, headers?.[1], headers?.[3]], [1, '"route";q=5;w=1', '"route";r=0;t=1']);
});
