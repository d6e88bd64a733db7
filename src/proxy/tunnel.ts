// A raw tunnel from the endpoint's 101 to its end, on a listener that hands over the client's connection.
//
// The request stays in flight all along: its slot, its lease and its place in the registry are given back when
// both sides have ended.

import type { Connection } from "../upstream/connection.ts";
import type { Switched } from "./outcome.ts";
import type { Forwarding } from "./forwarding.ts";
import type { Journey } from "./journey.ts";
import type { RawHandshake } from "./raw_handshake.ts";
import { whileOpen } from "./while_open.ts";
import type { RoutePlan } from "./route_plan.ts";
import type { TunnelSide } from "./tunnel_flow.ts";
import { TunnelRelay } from "./tunnel_relay.ts";

/** Answers the client with 101 and moves bytes until both sides have ended. */
export async function relayTunnel(
  journey: Journey,
  plan: RoutePlan,
  forwarding: Forwarding,
  handshake: RawHandshake,
  { head, connection }: Switched,
): Promise<void> {
  const { exchange, proxy, record } = journey;
  const { webSocket } = handshake;
  // Kept aside: the client's lines are made out of the endpoint's in place, and the Upgrade is lost on the way.
  const said = { status: head.status, reason: head.reason, headers: [...head.headers] };
  const lines = forwarding.clientHead(head).headers;
  journey.begin(101);
  const client = await exchange.upgrade!(handshake.clientHead(lines, said));
  const relay = new TunnelRelay(client, new EndpointSide(connection), webSocket, {
    idleMs: plan.idleTunnelMs(proxy.snapshot.limits),
  }, proxy.inputs.wheel);
  if (webSocket) {
    await whileOpen(journey.proxy, relay, relay.run());
    record.endWebSocket(relay);
  } else {
    await relay.run();
    record.endTunnel(relay);
  }
}

/** The endpoint's side: what came behind its 101 first. */
class EndpointSide implements TunnelSide {
  constructor(private readonly connection: Connection) {}

  async read(into: Uint8Array): Promise<number | null> {
    const { inlet } = this.connection;
    if (inlet.available === 0) return await this.connection.read(into);
    const view = inlet.take(Math.min(inlet.available, into.length));
    into.set(view);
    return view.length;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.connection.outlet.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.connection.closeWrite();
  }

  close(): void {
    this.connection.close();
  }
}
