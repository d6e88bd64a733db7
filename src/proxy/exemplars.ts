// A finished request of each kind, kept so that the engine keeps what it has compiled.
//
// V8 ties compiled code to the hidden classes of the objects that it was compiled for, and holds those weakly. When it
// collects garbage in a quiet moment, with no request under way, the classes go, and with them the code of a
// request's whole path: the requests after that cost three times as much, until thousands of them have had it compiled
// again. One object of each class that stays prevents that (docs/decisions/exemplars.md).

import type { Slot } from "./admission.ts";
import type { Journey } from "./journey.ts";

/** How a message ends: see `kindOf`. */
const KINDS = 3;

/** What belongs to one request and is reached from nowhere else. */
interface Exemplar {
  readonly journey: Journey;
  readonly slot: Slot;
}

export class Exemplars {
  private readonly kept: (Exemplar | null)[] = new Array(KINDS * KINDS).fill(null);

  /** A request is over that had a slot. The last one of each kind that went straight through stays. */
  keep(journey: Journey, slot: Slot): void {
    const { exchange, forwarding, record } = journey;
    if (!record.wentStraight || forwarding === null) return;
    const { outcome } = forwarding;
    if (outcome === null || outcome.kind !== "response") return;
    this.kept[kindOf(exchange.body) * KINDS + kindOf(outcome.body)] = { journey, slot };
  }
}

/** No body, one of declared length, or one of which only the end tells. */
function kindOf(body: { readonly length: number | null } | null): number {
  if (body === null) return 0;
  return body.length === null ? 2 : 1;
}
