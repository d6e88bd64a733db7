import { assert, assertEquals, assertLessOrEqual, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { consistentHash } from "../../src/balance/consistent_hash.ts";
import { hash32 } from "../../src/balance/hash.ts";
import { hashKey } from "../../src/balance/hash_key.ts";
import { MAGLEV_PLACES, maglevTable, STEP_SEED } from "../../src/balance/maglev.ts";
import { candidates, equals, request, scripted, seeded, shares } from "./support.ts";

const CONFIG = { hashOn: "client_address", boundPercent: 125, choices: 2 } as const;
const keys = Array.from({ length: 20_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);

for (
  const [text, seed, expected] of [
    ["", 0, 0],
    ["", 1, 0x514e28b7],
    ["", 0xffffffff, 0x81f16f39],
    ["\uffff\uffff", 0, 0x76293b50],
    ["\u4321\u8765", 0, 0xf55b516b],
    ["\u4321\u8765", 0x5082edee, 0x2362f9de],
    ["\u4321", 0, 0xa0f7b07a],
    ["\0\0", 0, 0x2362f9de],
    ["\0", 0, 0x30f4c306],
  ] as const
) {
  Deno.test(`hash32() of ${JSON.stringify(text)}, seed ${seed}, is MurmurHash3 of the same bytes`, () => {
    assertEquals(hash32(text, seed), expected);
  });
}

for (
  const [name, text] of [["counters", String], [
    "addresses",
    (i: number) => `http://10.0.${i >> 8}.${i & 255}:8080`,
  ]] as const
) {
  Deno.test(`hash32() spreads ${name} evenly over 64 buckets`, () => {
    const counts = new Array<number>(64).fill(0);
    for (let i = 0; i < 64_000; i++) counts[hash32(text(i)) % 64]!++;
    // Chi-square with 63 degrees of freedom is below 120 with probability 0.99998.
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0);
    assert(chiSquare < 120, `chi-square is ${chiSquare}`);
  });
}

Deno.test("hash32() turns half of its bits over when one bit of the text changes", () => {
  let turned = 0;
  for (let i = 0; i < 4_000; i++) {
    let difference = hash32(`key ${i}a`) ^ hash32(`key ${i}c`);
    for (; difference !== 0; difference &= difference - 1) turned++;
  }
  assert(Math.abs(turned / 4_000 - 16) < 0.5, `${turned / 4_000} bits`);
});

const HEADERS = [
  "Cookie",
  "a=1; id=7; id=8;c = YQ== ",
  "X-User",
  "ann",
  "cookie",
  "b=2",
  "X-Group",
  "a",
  "x-group",
  "b",
];
for (
  const [hashOn, target, expected] of [
    ["client_address", "/", "192.0.2.1"],
    ["path", "/a/b?c=d", "/a/b"],
    ["path", "/a/b", "/a/b"],
    [{ header: "x-user" }, "/", "ann"],
    [{ header: "X-USER" }, "/", "ann"],
    [{ header: "x-group" }, "/", "a, b"],
    [{ header: "x-other" }, "/", undefined],
    [{ header: "Host" }, "/", "a.test"],
    [{ cookie: "id" }, "/", "7"],
    [{ cookie: "b" }, "/", "2"],
    [{ cookie: "c" }, "/", "YQ=="],
    [{ cookie: "d" }, "/", undefined],
    [{ query: "user" }, "/?user=ann&user=bob", "ann"],
    [{ query: "user" }, "/?user=a?b=c", "a?b=c"],
    [{ query: "user" }, "/?superuser=1&user=b%20b", "b%20b"],
    [{ query: "user" }, "/?users=1", undefined],
    [{ query: "user" }, "/?user", undefined],
    [{ query: "user" }, "/?user=", ""],
    [{ query: "user" }, "/user=1", undefined],
  ] as const
) {
  Deno.test(`hashKey(${JSON.stringify(hashOn)}) of ${target} is ${expected}`, () => {
    assertEquals(hashKey(hashOn)(request({ target, headers: HEADERS })), expected);
  });
}

Deno.test("maglevTable() gives every endpoint its weight to within 1 %", () => {
  for (const weights of [[1, 1, 1], [1, 2, 4], [0.1, 1, 1], [1, 1000]]) {
    const table = maglevTable(candidates(...weights.map((weight) => ({ weight }))));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    weights.forEach((weight, i) => {
      const places = table.filter((owner) => owner === i).length;
      assertLessOrEqual(Math.abs(places - MAGLEV_PLACES * weight / total), Math.max(2, 0.01 * places));
    });
  }
});

Deno.test("maglevTable() is the same in every version, as pods of two serve side by side during a roll-out", () => {
  const list = candidates({ weight: 1 }, { weight: 2 }, { weight: 0.5 });
  assertEquals(hash32(maglevTable(list).join("")), 2_290_711_625);
});

for (const remainder of [0, MAGLEV_PLACES - 2]) {
  Deno.test(`maglevTable() ends for an endpoint that visits places in steps of ${remainder + 1}`, () => {
    let id = 0;
    while (hash32(String(id), STEP_SEED) % (MAGLEV_PLACES - 1) !== remainder) id++;
    const places = maglevTable([{ id: String(id), weight: 1 }, { id: "other", weight: 1 }]);
    assertEquals(places.filter((owner) => owner === 0).length, Math.ceil(MAGLEV_PLACES / 2), `${id}`);
  });
}

Deno.test("maglevTable() does not depend on the order of the endpoints", () => {
  const list = equals(5);
  const turned = [...list].reverse();
  const owners = (order: typeof list) => Array.from(maglevTable(order), (index) => order[index]!.id).join();
  assertEquals(owners(list), owners(turned));
});

Deno.test("consistentHash() moves 10 % of the keys when one of ten endpoints is added, and only to it", () => {
  const after = equals(10);
  const before = after.slice(0, 9);
  const policy = consistentHash(CONFIG, { random: scripted() });
  const place = (list: typeof after) => keys.map((client) => policy.pick(list, request({ client })));
  const [old, now] = [place(before), place(after)];
  const moved = keys.filter((_, i) => old[i] !== now[i]).length / keys.length;
  const moreThanNeeded = keys.filter((_, i) => old[i] !== now[i] && now[i] !== after[9]).length / keys.length;
  assert(moved > 0.07 && moved < 0.13, `${moved}`);
  assert(moreThanNeeded < 0.03, `${moreThanNeeded} moved between endpoints that stayed`);
});

Deno.test("consistentHash() moves only the keys of an endpoint that leaves, but for 3 %", () => {
  const before = equals(10);
  const after = before.filter((_, i) => i !== 4);
  const policy = consistentHash(CONFIG, { random: scripted() });
  const place = (list: typeof after) => keys.map((client) => policy.pick(list, request({ client })));
  const [old, now] = [place(before), place(after)];
  const needless = keys.filter((_, i) => old[i] !== before[4] && old[i] !== now[i]).length / keys.length;
  assert(needless < 0.03, `${needless}`);
});

Deno.test("consistentHash() keeps every endpoint within its bound, whatever the keys and weights", () => {
  const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 8 });
  const clients = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(weights, clients, fc.integer({ min: 100, max: 300 }), (list, names, boundPercent) => {
      const group = candidates(...list.map((weight) => ({ weight })));
      const total = list.reduce((sum, weight) => sum + weight, 0);
      const policy = consistentHash({ ...CONFIG, boundPercent }, { random: scripted() });
      names.forEach((name, before) => {
        const picked = policy.pick(group, request({ client: `client ${name}` }));
        picked.load++;
        const bound = Math.ceil(boundPercent * (before + 1) * picked.weight / total / 100 - 1e-9);
        assertLessOrEqual(picked.load, bound);
      });
    }),
    { numRuns: 60 },
  );
});

Deno.test("consistentHash() sends one client to one endpoint until that is full, then to one other", () => {
  const list = equals(4);
  const policy = consistentHash(CONFIG, { random: scripted() });
  const home = policy.pick(list, request());
  assertEquals(policy.pick(list, request()), home);
  list.forEach((each) => each.load = 4);
  home.load = 9;
  const next = policy.pick(list, request());
  assertNotEquals(next, home);
  assertEquals(policy.pick(list, request()), next);
});

for (
  const [home, others, stays] of [
    [0, [9, 9, 9], true],
    [1, [0, 0, 0], false],
    [1, [1, 1, 1], true],
    [5, [4, 4, 3], true],
    [5, [4, 3, 3], false],
  ] as const
) {
  const name = stays ? "stays at its endpoint" : "leaves its endpoint";
  Deno.test(`consistentHash() with a bound of 125 %: a client ${name} of ${home} beside [${others}] in flight`, () => {
    const list = equals(4);
    const policy = consistentHash(CONFIG, { random: scripted() });
    const own = policy.pick(list, request());
    own.load = home;
    list.filter((each) => each !== own).forEach((each, i) => each.load = others[i]!);
    assertEquals(policy.pick(list, request()) === own, stays);
  });
}

Deno.test("consistentHash() goes on at the table's beginning where it ends", () => {
  const list = equals(9);
  let client = 0;
  while (hash32(String(client)) % MAGLEV_PLACES !== MAGLEV_PLACES - 1) client++;
  const policy = consistentHash(CONFIG, { random: scripted() });
  const asked = request({ client: String(client) });
  const last = policy.pick(list, asked);
  last.load = 1;
  const owners = Array.from(maglevTable(list), (index) => list[index]!);
  assertEquals(last, owners.at(-1));
  assertEquals(policy.pick(list, asked), owners.find((owner) => owner !== last));
});

Deno.test("consistentHash() places requests without the value by least_request", () => {
  const list = candidates({ inFlight: 1 }, { inFlight: 0 }, { inFlight: 2 });
  const config = { ...CONFIG, hashOn: { header: "x-user" }, choices: "all" } as const;
  const policy = consistentHash(config, { random: seeded(1) });
  for (const headers of [[], ["x-user", ""]]) {
    assertEquals(shares(list, 20, () => policy.pick(list, request({ headers }))), [0, 20, 0]);
  }
});
