// Which way a change of protocol goes: what each listener can do decides, one line for each way.

import type { Switched } from "./failure.ts";
import type { Forwarding } from "./forwarding.ts";
import type { Journey } from "./journey.ts";
import type { RoutePlan } from "./route_plan.ts";
import type { Handshake, UpgradeWish } from "./upgrade.ts";
import { relayWebSocket } from "./websocket.ts";
import { WebSocketHandshake } from "./websocket_handshake.ts";

/** A change of protocol under way: how it is asked for, and what happens when the endpoint agrees. */
export interface Switching {
  readonly handshake: Handshake;
  /** Answers the client and settles when both sides have ended. */
  relay(forwarding: Forwarding, switched: Switched): Promise<void>;
}

/** How the wish is carried out, or null: the request goes on without. */
export function switchingFor(wish: UpgradeWish, journey: Journey, plan: RoutePlan): Switching | null {
  const { exchange } = journey;
  if (wish.kind === "webSocket" && exchange.acceptWebSocket !== undefined) {
    const handshake = new WebSocketHandshake(wish.offer, crypto.getRandomValues(new Uint8Array(16)));
    return {
      handshake,
      relay: (forwarding, switched) => relayWebSocket(journey, plan, forwarding, handshake, switched),
    };
  }
  return null;
}
