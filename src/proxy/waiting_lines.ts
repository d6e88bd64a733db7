// The places of those that wait for room, and which of them are worth asking.
//
// All that wait for one endpoint stand in one line, since what the first finds the others would find, too. Whoever
// waits for no certain one is a line of its own. `pending_queue.ts` asks the firsts: that costs nothing for those behind.

import type { Endpoint } from "../upstream/endpoint.ts";
import type { Lease } from "../upstream/lease.ts";
import type { NoLease, Waiter } from "./pending_queue.ts";

export class Place {
  /** Whose line it stands in: an endpoint's, or its own. */
  lineOf: Endpoint | Waiter;

  constructor(
    /** Counts up as they come. */
    readonly number: number,
    readonly waiter: Waiter,
    readonly settle: (result: Lease | NoLease) => void,
  ) {
    this.lineOf = lineOf(waiter);
  }
}

export class WaitingLines {
  /** The first of every line, in the order in which they came. */
  readonly firsts: Place[] = [];
  /** In each they stand in that order, too. What is empty goes with its owner. */
  private readonly lines = new WeakMap<Endpoint | Waiter, Place[]>();
  private readonly places = new Map<Waiter, Place>();

  get size(): number {
    return this.places.size;
  }

  placeOf(waiter: Waiter): Place | undefined {
    return this.places.get(waiter);
  }

  add(place: Place): void {
    this.places.set(place.waiter, place);
    const line = this.lines.get(place.lineOf) ?? [];
    this.lines.set(place.lineOf, line);
    const [first] = line;
    insert(line, place);
    if (line[0] !== place) return;
    if (first !== undefined) remove(this.firsts, first);
    insert(this.firsts, place);
  }

  remove(place: Place): void {
    this.places.delete(place.waiter);
    const line = this.lines.get(place.lineOf)!;
    const [first] = line;
    remove(line, place);
    if (first !== place) return;
    remove(this.firsts, place);
    if (line.length > 0) insert(this.firsts, line[0]!);
  }

  /** It has been asked and may wait for another endpoint than before, or for none any more: its turn stays. */
  sort(place: Place): void {
    const now = lineOf(place.waiter);
    if (now === place.lineOf) return;
    this.remove(place);
    place.lineOf = now;
    this.add(place);
  }
}

function lineOf(waiter: Waiter): Endpoint | Waiter {
  return waiter.waitsFor ?? waiter;
}

function insert(places: Place[], place: Place): void {
  places.splice(indexOf(places, place), 0, place);
}

function remove(places: Place[], place: Place): void {
  places.splice(indexOf(places, place), 1);
}

/** Where it stands, or would. */
function indexOf(places: readonly Place[], { number }: Place): number {
  let [from, to] = [0, places.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (places[middle]!.number < number) from = middle + 1;
    else to = middle;
  }
  return from;
}
