// What becomes of an endpoint's connections between two requests.

import { assertEquals, assertRejects } from "@std/assert";
import type { Connection } from "../../src/upstream/connection.ts";
import { DialError } from "../../src/upstream/dial.ts";
import { twoWorkers } from "../support/two_workers.ts";
import { Served } from "./served.ts";

/** A connection as an exchange leaves it behind -> whether it is kept for the next one. */
const left: Record<string, readonly [kept: boolean, clean: boolean, state?: Partial<Served>]> = {
  "that ended where it should": [true, true],
  "that did not": [false, false],
  "that the endpoint has closed": [false, true, { usable: false }],
  "with a byte that no message owns": [false, true, { inlet: { available: 1 } }],
};

for (const [what, [kept, clean, state]] of Object.entries(left)) {
  Deno.test(`Endpoint ${kept ? "keeps" : "closes"} the connection of an exchange ${what}`, () => {
    const { first, total } = twoWorkers();
    const lease = first.lease()!;
    const connection = Object.assign(new Served(), state);
    lease.connection = connection.asConnection;
    lease.release(clean);
    lease.release(clean);
    assertEquals([first.inFlight(), connection.counted, lease.over], [0, 1, true]);
    assertEquals([connection.closed, total("connectionsClosed")], [!kept, kept ? 0 : 1]);
    const next = first.lease()!;
    assertEquals(next.takeKept(1_400) === connection.asConnection, kept);
    assertEquals(
      [next.reused, next.idleMs, total("connectionsReused")],
      kept ? [true, 400, 1] : [false, 0, 0],
    );
  });
}

Deno.test("Endpoint counts a connection that it has no room to keep, and one that ends while it idles", () => {
  const { first, total } = twoWorkers({ pool: { idlePerEndpointMax: 1 } });
  const [one, two] = [new Served(), new Served()];
  for (const connection of [one, two]) first.giveBack(connection.asConnection, true);
  assertEquals([one.closed, two.closed, total("connectionsClosed")], [false, true, 1]);
  one.keeper!.onGone(one.asConnection);
  assertEquals(total("connectionsClosed"), 2);
});

const pool = { idleMs: 500, lifetimeMs: 2_000 };
for (
  const [what, now, openedAt, taken] of [
    ["within both limits", 1_499, 0, true],
    ["idle for too long", 1_500, 0, false],
    ["of age", 1_499, -501, false],
    ["a moment before it is of age", 1_498, -501, true],
  ] as const
) {
  Deno.test(`Endpoint.takeIdle() of a connection ${what}`, () => {
    const { first, total } = twoWorkers({ pool });
    const connection = new Served(openedAt);
    first.giveBack(connection.asConnection, true);
    assertEquals(first.takeIdle(now) === connection.asConnection, taken);
    assertEquals([connection.closed, total("connectionsClosed")], [!taken, taken ? 0 : 1]);
  });
}

Deno.test("Endpoint.renew() outdates what idles and what is in flight, and nothing that is begun after it", () => {
  const { clock, first, total } = twoWorkers();
  const [idling, busy, next] = [new Served(999), new Served(1_000), new Served(1_001)];
  clock.now = 1_000;
  first.giveBack(idling.asConnection, true);
  first.renew();
  for (const connection of [next, busy]) first.giveBack(connection.asConnection, true);
  assertEquals(first.takeIdle(1_002) === next.asConnection, true);
  assertEquals(first.takeIdle(1_002), null);
  assertEquals([idling.closed, busy.closed, total("connectionsClosed")], [true, true, 2]);
});

Deno.test("Endpoint.takeIdle() passes over what has ended and what has idled for too long", () => {
  const { first, total } = twoWorkers();
  const [fresh, old, dead] = [new Served(), new Served(), new Served()];
  for (const connection of [fresh, old, dead]) first.giveBack(connection.asConnection, true);
  fresh.idleSince = 1_900;
  // Learned while they idled.
  first.idleLimit.learnFromHeader(2_000);
  dead.usable = false;
  assertEquals(first.takeIdle(2_000) === fresh.asConnection, true);
  assertEquals([old.closed, total("connectionsClosed"), total("connectionsReused")], [true, 1, 1]);
});

Deno.test("Endpoint.retire() closes and counts what idles, and what is given back later", () => {
  const { first, total } = twoWorkers();
  const [idling, late] = [new Served(), new Served()];
  first.giveBack(idling.asConnection, true);
  first.retire();
  first.giveBack(late.asConnection, true);
  assertEquals([idling.closed, late.closed, first.takeIdle(1_000)], [true, true, null]);
  assertEquals(total("connectionsClosed"), 2);
});

Deno.test("Endpoint.retire() has nothing left of it among what may make room", () => {
  const { first, pools } = twoWorkers();
  first.giveBack(new Served().asConnection, true);
  assertEquals(pools.keepers, 2);
  first.retire();
  assertEquals([pools.keepers, pools.makeRoom()], [1, null]);
});

Deno.test("Lease.takeKept() leaves kept connections alone when it is to dial anew", () => {
  const { first } = twoWorkers();
  first.giveBack(new Served().asConnection, true);
  const lease = first.lease()!;
  lease.dialsAnew = true;
  assertEquals([lease.takeKept(1_000), lease.reused], [null, false]);
});

Deno.test("Lease.release() ends the dial that is under way for it, and touches none that is over", async () => {
  const { first } = twoWorkers();
  for (const released of [true, false]) {
    const abort = Promise.withResolvers<AbortController>();
    first.open = (limits) => {
      abort.resolve(limits.abort!);
      return released ? new Promise(() => {}) : Promise.reject(new DialError("refused", "refused"));
    };
    const lease = first.lease()!;
    const opening = lease.open({ connectMs: 1, tlsHandshakeMs: 1 });
    if (!released) await assertRejects(() => opening, DialError, "refused");
    lease.release(false);
    const { signal } = await abort.promise;
    assertEquals([signal.aborted, signal.reason instanceof DialError], [released, released]);
  }
});

Deno.test("Lease.open() closes the connection of a request that ended meanwhile", async () => {
  const { first, total } = twoWorkers();
  const connection = new Served();
  const dialled = Promise.withResolvers<Connection>();
  first.open = () => dialled.promise;
  const lease = first.lease()!;
  const opening = lease.open({ connectMs: 1, tlsHandshakeMs: 1 });
  lease.release(false);
  dialled.resolve(connection.asConnection);
  const error = await assertRejects(() => opening, DialError, "ended while it was connecting");
  assertEquals([error.kind, connection.closed, total("connectionsClosed"), first.inFlight()], [
    "local",
    true,
    1,
    0,
  ]);
});
