// Which way a change of protocol goes: what each listener can do decides, one line for each way.

import type { Switched } from "./outcome.ts";
import type { Forwarding } from "./forwarding.ts";
import type { Journey } from "./journey.ts";
import { RawHandshake } from "./raw_handshake.ts";
import type { RoutePlan } from "./route_plan.ts";
import { allowedTokens, type Handshake, type UpgradeWish } from "./upgrade.ts";
import { relayTunnel } from "./tunnel.ts";
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
  if (exchange.upgrade === undefined) return null;
  if (wish.kind === "webSocket") return tunnel(["websocket"], true, journey, plan);
  const tokens = wish.kind === "other" ? allowedTokens(wish.tokens, plan.route.upgrade) : [];
  return tokens.length === 0 ? null : tunnel(tokens, false, journey, plan);
}

function tunnel(tokens: readonly string[], webSocket: boolean, journey: Journey, plan: RoutePlan): Switching {
  const handshake = new RawHandshake(tokens, journey.exchange.head.headers, webSocket);
  return {
    handshake,
    relay: (forwarding, switched) => relayTunnel(journey, plan, forwarding, handshake, switched),
  };
}
