// A WebSocket from the endpoint's 101 to its end, on a listener that frames the client's side itself.
//
// The endpoint has agreed already: only now is the client answered. The request stays in flight all along:
// its slot, its lease and its place in the registry are given back when both sides are closed.

import { EndpointSocket } from "../upstream/endpoint_socket.ts";
import type { Forwarding } from "./forwarding.ts";
import type { Journey } from "./journey.ts";
import type { Switched } from "./outcome.ts";
import type { RoutePlan } from "./route_plan.ts";
import type { WebSocketHandshake } from "./websocket_handshake.ts";
import { WebSocketRelay } from "./websocket_relay.ts";
import { whileOpen } from "./while_open.ts";

/** Answers the client with 101 and relays until both sides are closed. */
export async function relayWebSocket(
  journey: Journey,
  plan: RoutePlan,
  forwarding: Forwarding,
  handshake: WebSocketHandshake,
  { head, connection }: Switched,
): Promise<void> {
  const { exchange, proxy, record } = journey;
  const { limits } = proxy.snapshot;
  const messageBytesMax = limits.webSocketMessageBytesMax;
  const relay = new WebSocketRelay(new EndpointSocket(connection, messageBytesMax), {
    messageBytesMax,
    bufferedBytesMax: limits.webSocketBufferedBytesMax,
    idleMs: plan.idleTunnelMs(limits),
  }, proxy.inputs);
  const lines = handshake.clientLines(forwarding.clientHead(head).headers);
  const client = await exchange.acceptWebSocket!(lines, handshake.protocol(head), relay);
  if (client === null) return;
  journey.begin(101);
  try {
    await whileOpen(proxy, relay, relay.run(client));
  } finally {
    record.endWebSocket(relay);
  }
}
