// What it costs to ask those that wait, while there is no room that they may take.

import { assert, assertEquals } from "@std/assert";
import type { PickContext } from "../../src/balance/balancer.ts";
import { OwnColumn } from "../../src/board/own.ts";
import type { Group } from "../../src/proxy/group.ts";
import { PendingQueue } from "../../src/proxy/pending_queue.ts";
import { Selection } from "../../src/proxy/selection.ts";
import type { Endpoint } from "../../src/upstream/endpoint.ts";
import type { Lease } from "../../src/upstream/lease.ts";
import { settled } from "../support/settled.ts";
import { smallBoard } from "../support/small_board.ts";
import { StillTime } from "../support/still_time.ts";

const ENDPOINTS = 20;
const WAITERS = 100;

function stage() {
  const looks = { taken: 0, cookies: 0 };
  const full = new Set<number>();
  const endpoints = Array.from({ length: ENDPOINTS }, (_, row) => {
    const endpoint = {
      id: String(row),
      row,
      state: 0,
      get isFull() {
        looks.taken++;
        return full.has(row);
      },
      lease: () => full.has(row) ? null : { endpoint } as unknown as Lease,
    } as unknown as Endpoint;
    return endpoint;
  });
  const queue = new PendingQueue(new OwnColumn(smallBoard(), 1), 0, new StillTime().wheel);
  const candidates = { endpoints, spares: [], panic: false };
  const group = {
    upstream: {
      candidates: () => candidates,
      endpoint: (id: string) => endpoints[Number(id)],
      totals: { add: () => {} },
      snapshot: { limits: { queueMax: 1_000, queueTimeoutMs: 1_000 } },
    },
    balancer: { pick: ([first]: Endpoint[]) => first, pickOther: ([first]: Endpoint[]) => first },
    queue,
    sticky: {
      endpointOf: ([id]: string[]) => {
        looks.cookies++;
        return id ?? null;
      },
    },
  } as unknown as Group;
  const request = (...headers: string[]) =>
    new Selection(group, { head: { headers } } as unknown as PickContext);
  return { looks, full, endpoints, request };
}

Deno.test("those that have tried what has room are not asked one by one whether they want it", async () => {
  const { looks, full, request } = stage();
  const waiters = Array.from({ length: WAITERS }, () => request());
  for (const waiter of waiters) assertEquals((waiter.next() as Lease).endpoint.id, "0");
  for (let row = 1; row < ENDPOINTS; row++) full.add(row);
  const came = waiters.map((waiter) => waiter.waitForRoom(Infinity));
  looks.taken = 0;
  assertEquals((request().next() as Lease).endpoint.id, "0");
  assertEquals(looks.taken, ENDPOINTS);
  full.delete(7);
  // Each finds the room that the one before it has left.
  request().next();
  const leases = await Promise.all(came);
  assertEquals(new Set(leases.map((lease) => (lease as Lease).endpoint.id)), new Set(["7"]));
});

Deno.test("of those that wait where their cookies lead nobody's cookies are read again", async () => {
  const { looks, full, endpoints, request } = stage();
  for (const { row } of endpoints) full.add(row);
  const waiters = endpoints.map(({ id }) => request(id));
  const came = waiters.map((waiter) => waiter.waitForRoom(Infinity));
  await settled();
  assertEquals(waiters.map(({ waitsFor }) => waitsFor), endpoints);
  looks.cookies = 0;
  assertEquals(request().next(), "full");
  assert(looks.cookies <= 1, `${looks.cookies} looks at cookies`);
  full.clear();
  request().next();
  const leases = await Promise.all(came);
  assertEquals(leases.map((lease) => (lease as Lease).endpoint), endpoints);
});
