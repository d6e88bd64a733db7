import { assertEquals } from "@std/assert";
import type { PickContext } from "../../src/balance/balancer.ts";
import { UpstreamField } from "../../src/board/fields.ts";
import { EndpointState } from "../../src/board/verdicts.ts";
import type { Group } from "../../src/proxy/group.ts";
import type { NoLease } from "../../src/proxy/pending_queue.ts";
import { Selection } from "../../src/proxy/selection.ts";
import type { Endpoint } from "../../src/upstream/endpoint.ts";
import type { Lease } from "../../src/upstream/lease.ts";

interface Stage {
  /** Endpoints that may take a request. */
  readonly ids: string;
  readonly spares?: string;
  /** Those without room. */
  readonly full?: string;
  /** Those whose last place is taken before it can be claimed. */
  readonly raced?: string;
  readonly panic?: boolean;
  /** Others wait for any room there is, once the request has tried so many. */
  readonly awaited?: number;
  /** Where the request's cookie leads. */
  readonly cookie?: string;
  /** State of any endpoint. */
  readonly state?: number;
  /** Those that are unhealthy, whatever `state` says. */
  readonly unhealthy?: string;
  /** What waiting comes to. */
  readonly comesTo?: NoLease;
  readonly queueMax?: number;
}

/** Of any list of endpoints the first is picked first, and the last afterwards. */
function stage({ ids, spares = "", full = "", raced = "", cookie, state = 0, ...given }: Stage) {
  const counted: number[] = [];
  const waits: unknown[] = [];
  const left: unknown[] = [];
  const scanned: string[] = [];
  const endpointOf = (id: string) => {
    const endpoint = {
      id,
      state: given.unhealthy?.includes(id) ? EndpointState.unhealthy : state,
      isFull: full.includes(id),
      lease: () => (full + raced).includes(id) ? null : { endpoint, dialsAnew: false } as Lease,
    } as Endpoint;
    return endpoint;
  };
  const known = new Map([...ids, ...spares].map((id) => [id, endpointOf(id)]));
  const some = (letters: string) => [...letters].map((id) => known.get(id)!);
  const group = {
    upstream: {
      candidates: () => ({ endpoints: some(ids), spares: some(spares), panic: given.panic ?? false }),
      endpoint: (id: string) => known.get(id),
      totals: { add: (field: number) => counted.push(field) },
      snapshot: { limits: { queueMax: given.queueMax ?? 7, queueTimeoutMs: 500 } },
    },
    balancer: {
      pick: (list: readonly Endpoint[]) => list[0]!,
      pickOther: (list: readonly Endpoint[]) => {
        scanned.push(list.map(({ id }) => id).join(""));
        return list.at(-1)!;
      },
    },
    queue: {
      letsPass: () => selection.tried.length < (given.awaited ?? Infinity),
      wait: (_: unknown, limits: unknown) => {
        waits.push(limits);
        return Promise.resolve(given.comesTo ?? "full");
      },
      leave: (waiter: unknown) => left.push(waiter),
    },
    sticky: cookie === undefined
      ? null
      : { endpointOf: () => cookie === "" ? null : cookie, setCookieFor: (id: string) => `to=${id}` },
  } as unknown as Group;
  const selection: Selection = new Selection(group, { head: { headers: [] } } as unknown as PickContext);
  /** The next one tried, or why there is none. */
  const next = () => {
    const lease = selection.next();
    return typeof lease === "string" ? lease : lease.endpoint.id;
  };
  return { selection, next, counted, waits, left, scanned, endpoint: (id: string) => known.get(id)! };
}

/** What each attempt comes to, in order -> the endpoints tried. */
const stories: Record<string, readonly [ended: readonly ("stale" | "failed")[], tried: string]> = {
  "all that failed are alike": [["failed", "failed", "failed"], "abb"],
  "a dead kept connection proves nothing": [["stale", "failed", "failed"], "aba"],
  "the last of them": [["failed", "stale", "failed"], "abb"],
  "a new connection proves something": [["stale", "failed", "failed", "failed"], "abab"],
};

for (const [what, [ended, expected]] of Object.entries(stories)) {
  Deno.test(`with every endpoint tried, the next is one of which least is known: ${what}`, () => {
    const { selection, next } = stage({ ids: "ab" });
    for (const how of ended) {
      next();
      if (how === "stale") selection.wasStale(9);
    }
    assertEquals(selection.tried.map(({ id }) => id).join(""), expected);
  });
}

Deno.test("Selection: what follows a kept connection that was dead dials anew", () => {
  const { selection } = stage({ ids: "ab" });
  const dialled = [];
  for (let attempt = 0; attempt < 3; attempt++) {
    dialled.push((selection.next() as Lease).dialsAnew);
    if (attempt === 1) selection.wasStale(9);
  }
  assertEquals(dialled, [false, false, true]);
});

const nexts: Record<string, readonly [stage: Stage, tried: readonly string[], counted?: readonly number[]]> =
  {
    "the policy's pick, then others": [{ ids: "abc" }, ["a", "c", "b"]],
    "the policy's pick without room: another": [{ ids: "abc", full: "a" }, ["c"]],
    "another without room: yet another": [{ ids: "abc", full: "ac" }, ["b"]],
    "another whose last place is just taken: yet another": [{ ids: "abc", full: "a", raced: "c" }, ["b"]],
    "spares once all have failed, and not again": [{ ids: "a", spares: "xy" }, ["a", "y", "x", "a"]],
    "no spare for a first attempt": [{ ids: "a", spares: "x", full: "a" }, ["full"]],
    "an endpoint tried before waits for none that is fresh": [{ ids: "ab", full: "b" }, ["a", "full"]],
    "those that wait came before": [{ ids: "a", awaited: 0 }, ["full"]],
    "those that wait came before a client whose endpoint they may go to": [
      { ids: "ab", cookie: "b", awaited: 0 },
      ["full"],
    ],
    "those that wait came before a client whose own endpoint has no room": [
      { ids: "a", spares: "x", full: "x", cookie: "x", awaited: 0 },
      ["full"],
    ],
    "those that wait came before what follows an attempt at a client's endpoint": [
      { ids: "a", spares: "x", cookie: "x", awaited: 0 },
      ["x", "full"],
    ],
    "those that wait came before what follows an attempt, while some endpoint has not failed it": [
      { ids: "ab", spares: "x", awaited: 1 },
      ["a", "full"],
    ],
    "a spare once all have failed, past those that wait for others": [
      { ids: "ab", spares: "x", awaited: 2 },
      ["a", "b", "x", "full"],
    ],
    "those that wait came before what follows attempts everywhere, while spares have no room": [
      { ids: "a", spares: "xy", full: "y", awaited: 1 },
      ["a", "x", "full"],
    ],
    "in panic those that wait came before what follows an attempt": [
      { ids: "a", spares: "x", panic: true, awaited: 1 },
      ["a", "full"],
      [UpstreamField.panicPicks],
    ],
    "nobody": [{ ids: "" }, ["noEndpoint"], [UpstreamField.noEndpoint]],
    "panic": [{ ids: "ab", panic: true }, ["a", "b"], [UpstreamField.panicPicks, UpstreamField.panicPicks]],
    "panic, then where no verdict speaks against it": [
      { ids: "abcd", panic: true, unhealthy: "acd" },
      ["a", "b", "d", "c"],
      Array(4).fill(UpstreamField.panicPicks),
    ],
    "panic, and no room where no verdict speaks against it": [
      { ids: "abc", panic: true, unhealthy: "ac", full: "b" },
      ["a", "c"],
      Array(2).fill(UpstreamField.panicPicks),
    ],
    "panic for a first attempt, wherever there is room": [
      { ids: "abc", panic: true, unhealthy: "ac", full: "a" },
      ["c"],
      [UpstreamField.panicPicks],
    ],
    "panic without room": [{ ids: "a", panic: true, full: "a" }, ["full"]],
  };

Deno.test("Selection.next() picks among those that have room only, however many have none", () => {
  const { next, scanned } = stage({ ids: "abcdef", full: "abdf" });
  assertEquals(next(), "e");
  const full = stage({ ids: "abcdef", full: "abcdef" });
  assertEquals(full.next(), "full");
  assertEquals([scanned, full.scanned], [["ce"], []]);
});

for (const [what, [given, tried, counted = []]] of Object.entries(nexts)) {
  Deno.test(`Selection.next(): ${what}`, () => {
    const { next, counted: had } = stage(given);
    assertEquals(tried.map(next), tried);
    assertEquals(had, counted);
  });
}

Deno.test("Selection: in panic a dead kept connection of a healthy endpoint makes no unhealthy one better", () => {
  const { selection, next } = stage({ ids: "ba", panic: true, unhealthy: "a" });
  const first = next();
  selection.wasStale(9);
  assertEquals([first, next(), next()], ["b", "b", "a"]);
});

const { draining, unhealthy } = EndpointState;
const { queued, queueFull, queueTimeouts } = UpstreamField;
const cookies: Record<string, readonly [stage: Stage, first: string, cookie: string | null]> = {
  "leads to where it was served, which needs no new one": [{ ids: "abc", cookie: "b" }, "b", null],
  "leads to one that drains, too": [{ ids: "abc", cookie: "b", state: draining }, "b", null],
  "does not lead to one that is unhealthy": [{ ids: "abc", cookie: "b", state: unhealthy }, "a", "to=a"],
  "does not lead to one that drains and is unhealthy": [
    { ids: "abc", cookie: "b", state: draining | unhealthy },
    "a",
    "to=a",
  ],
  "leads in panic to one that is unhealthy": [
    { ids: "abc", cookie: "b", state: unhealthy, panic: true },
    "b",
    null,
  ],
  "does not lead in panic to one that nobody is sent to": [
    { ids: "ab", spares: "x", cookie: "x", state: unhealthy, panic: true },
    "a",
    "to=a",
  ],
  "does not lead to one without room where nothing waits": [
    { ids: "abc", cookie: "b", full: "b", queueMax: 0 },
    "a",
    "to=a",
  ],
  "does not lead to one that drains and has no room": [
    { ids: "abc", cookie: "b", full: "b", state: draining },
    "a",
    "to=a",
  ],
  "does not lead in panic to one that is unhealthy and has no room": [
    { ids: "abc", cookie: "b", full: "b", state: unhealthy, panic: true },
    "a",
    "to=a",
  ],
  "does not lead to one that has left": [{ ids: "abc", cookie: "z" }, "a", "to=a"],
  "leads to one that drains past those that wait for others": [
    { ids: "a", spares: "x", cookie: "x", state: draining, awaited: 0 },
    "x",
    null,
  ],
  "leads to a backup": [{ ids: "abc", spares: "x", cookie: "x" }, "x", null],
  "leads to a backup past those that wait for others": [
    { ids: "a", spares: "x", cookie: "x", awaited: 0 },
    "x",
    null,
  ],
  "that is none leads where the policy says": [{ ids: "abc", cookie: "" }, "a", "to=a"],
  "without stickiness is not set": [{ ids: "abc" }, "a", null],
};

for (const [what, [given, first, cookie]] of Object.entries(cookies)) {
  Deno.test(`Selection: a cookie ${what}`, () => {
    const { selection, next, endpoint } = stage(given);
    assertEquals(next(), first);
    assertEquals(selection.cookieFor(endpoint(first)), cookie);
  });
}

/** The endpoint `b` of a client's cookie has no room -> what waiting for it comes to, and the cookie that is set. */
const waits: Record<
  string,
  readonly [stage: Partial<Stage>, result: string, cookie: string | null, counted: readonly number[]]
> = {
  "moves once it has waited for too long": [{ comesTo: "queueTimeout" }, "a", "to=a", [
    queued,
    queueTimeouts,
  ]],
  "moves at once when the queue is full": [{ comesTo: "queueFull" }, "a", "to=a", []],
  "moves to wherever there is room": [
    { comesTo: "queueTimeout", full: "abd" },
    "c",
    "to=c",
    [queued, queueTimeouts],
  ],
  "is refused when there is room nowhere": [
    { comesTo: "queueTimeout", full: "abcd" },
    "queueTimeout",
    null,
    [queued, queueTimeouts],
  ],
  "is refused when there is room nowhere, and the queue is full": [
    { comesTo: "queueFull", full: "abcd" },
    "queueFull",
    null,
    [queueFull],
  ],
  "takes no room that others wait for": [
    { comesTo: "queueTimeout", awaited: 0 },
    "queueTimeout",
    null,
    [queued, queueTimeouts],
  ],
  "goes nowhere when its client has left": [{ comesTo: "clientGone" }, "clientGone", null, [queued]],
};

for (const [what, [given, result, cookie, counted]] of Object.entries(waits)) {
  Deno.test(`Selection: a request that waits for the endpoint of its cookie ${what}`, async () => {
    const { selection, endpoint, counted: had } = stage({ ids: "abcd", full: "b", cookie: "b", ...given });
    assertEquals([selection.claim(), selection.waitsFor, selection.particular], [
      "full",
      endpoint("b"),
      true,
    ]);
    const came = await selection.waitForRoom(Infinity);
    assertEquals([typeof came === "string" ? came : came.endpoint.id, had], [result, counted]);
    if (typeof came === "string") return;
    assertEquals([selection.cookieFor(came.endpoint), selection.waitsFor], [cookie, null]);
  });
}

Deno.test("Selection: a request that waited behind others for too long goes where only its own cookie leads", async () => {
  const { selection, next, endpoint } = stage({
    ids: "a",
    spares: "x",
    full: "x",
    cookie: "x",
    state: draining,
    awaited: 0,
    comesTo: "queueTimeout",
  });
  assertEquals([next(), await selection.waitForRoom(Infinity)], ["full", "queueTimeout"]);
  const home = endpoint("x");
  Object.assign(home, { isFull: false, lease: () => ({ endpoint: home, dialsAnew: false }) });
  const came = await selection.waitForRoom(Infinity) as Lease;
  assertEquals([came.endpoint, selection.cookieFor(home)], [home, null]);
});

/** What has become of a client's endpoint `b` that it waits for -> where its next claim leads, and the cookie. */
const awaited: Record<string, readonly [now: Partial<Endpoint>, served: string, cookie: string | null]> = {
  "has room": [{ lease: undefined! }, "b", null],
  "has become unhealthy": [{ state: unhealthy }, "a", "to=a"],
  "drains": [{ state: draining }, "a", "to=a"],
};

for (const [what, [now, served, cookie]] of Object.entries(awaited)) {
  Deno.test(`Selection: a request waits for the endpoint of its cookie until that ${what}`, () => {
    const { selection, next, endpoint } = stage({ ids: "abc", full: "b", cookie: "b" });
    const home = endpoint("b");
    assertEquals([next(), next()], ["full", "full"]);
    const lease = () => ({ endpoint: home, dialsAnew: false }) as Lease;
    Object.assign(home, "lease" in now ? { lease } : now);
    assertEquals([next(), selection.cookieFor(endpoint(served)), selection.waitsFor], [served, cookie, null]);
  });
}

/** What has become of a client's endpoint `b` -> the endpoints tried, and the cookie for the last. */
const returns: Record<
  string,
  readonly [now: Partial<Endpoint>, attemptsLeft: number, tried: string, cookie: string | null]
> = {
  "goes there again, and needs no new cookie": [{}, 2, "bb", null],
  "moves on when it fails there, too": [{}, 2, "bbc", "to=c"],
  "moves on when only one attempt is left": [{}, 1, "bc", "to=c"],
  "moves on where it has no room": [{ lease: () => null }, 2, "bc", "to=c"],
  "moves on when it has become unhealthy": [{ state: EndpointState.unhealthy }, 2, "bc", "to=c"],
};

for (const [what, [now, attemptsLeft, tried, cookie]] of Object.entries(returns)) {
  Deno.test(`Selection: a client whose endpoint had closed a kept connection ${what}`, () => {
    const { selection, next, endpoint } = stage({ ids: "abc", cookie: "b" });
    next();
    selection.wasStale(attemptsLeft);
    Object.assign(endpoint("b"), now);
    while (selection.tried.length < tried.length) next();
    assertEquals(selection.tried.map(({ id }) => id).join(""), tried);
    assertEquals(selection.cookieFor(selection.tried.at(-1)!), cookie);
  });
}

Deno.test("Selection: a client whose endpoint fails gets a cookie for the one that answers", () => {
  const { selection, next, endpoint } = stage({ ids: "abc", cookie: "b" });
  assertEquals([next(), next()], ["b", "c"]);
  assertEquals(selection.cookieFor(endpoint("c")), "to=c");
});

for (
  const [comesTo, counted] of [
    ["queueFull", [queueFull]],
    ["queueTimeout", [queued, queueTimeouts]],
    ["noEndpoint", [queued]],
    ["clientGone", [queued]],
  ] as const
) {
  Deno.test(`Selection.waitForRoom() counts what waiting came to: ${comesTo}`, async () => {
    const { selection, counted: had } = stage({ ids: "a", comesTo });
    assertEquals([await selection.waitForRoom(Infinity), had], [comesTo, counted]);
  });
}

Deno.test("Selection.waitForRoom() waits as long as the upstream allows, or the request has", async () => {
  const { selection, waits } = stage({ ids: "a" });
  for (const msMax of [Infinity, 499]) await selection.waitForRoom(msMax);
  assertEquals(waits, [{ queueMax: 7, timeoutMs: 500 }, { queueMax: 7, timeoutMs: 499 }]);
});

/** A request that `a` has failed, while `b` is at its limit, and whether `a` is by now -> what comes of waiting in vain. */
const retries: Record<string, readonly [given: Partial<Stage>, isFull: boolean, came: string]> = {
  "has waited for too long goes where it was tried": [{ comesTo: "queueTimeout" }, false, "a"],
  "finds the queue full goes where it was tried": [{ comesTo: "queueFull" }, false, "a"],
  "goes to no backup while others stand": [{ comesTo: "queueTimeout", spares: "x" }, false, "a"],
  "is refused when there is room nowhere": [{ comesTo: "queueTimeout" }, true, "queueTimeout"],
  "takes no room that others wait for": [{ comesTo: "queueTimeout", awaited: 1 }, false, "queueTimeout"],
};

for (const [what, [given, isFull, expected]] of Object.entries(retries)) {
  Deno.test(`Selection: a retry that waits for those that are left ${what}`, async () => {
    const { selection, next, endpoint } = stage({ ids: "ab", full: "b", ...given });
    assertEquals([next(), next()], ["a", "full"]);
    if (isFull) Object.assign(endpoint("a"), { isFull, lease: () => null });
    const came = await selection.waitForRoom(Infinity);
    assertEquals(typeof came === "string" ? came : came.endpoint.id, expected);
  });
}

Deno.test("Selection: others may pass a request that has tried endpoints before", () => {
  const { selection, next } = stage({ ids: "ab" });
  const particular = [selection.particular];
  next();
  assertEquals([...particular, selection.particular], [false, true]);
});

Deno.test("Selection.leave() takes the request out of the queue, for its client's sake", () => {
  const { selection, left } = stage({ ids: "a" });
  selection.leave();
  assertEquals(left, [selection]);
});
