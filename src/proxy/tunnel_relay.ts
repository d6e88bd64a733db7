// A raw tunnel between a client and an endpoint that has changed the protocol: bytes cross untouched, half
// closes too, and a slow side holds the other back.
//
// Of a WebSocket Weir knows just enough to leave politely: it closes both sides with 1001 between two frames,
// and a side that has closed or broken off ends the whole soon. What else is spoken ends when its sides end it,
// or after a long silence.

import { CLOSING_MS_MAX } from "../exchange.ts";
import { closePayload, Opcode, writeFrame } from "../http1/frames.ts";
import { Timer, type TimerWheel } from "../timer_wheel.ts";
import type { OpenSocket } from "./open_sockets.ts";
import { type FlowEnd, TunnelFlow, type TunnelSide } from "./tunnel_flow.ts";
import type { RelayEnd } from "./websocket_relay.ts";

/** What bounds a raw tunnel. */
export interface TunnelLimits {
  /** Longest silence of both sides. */
  readonly idleMs: number;
}

type SideName = "client" | "endpoint";

export class TunnelRelay implements OpenSocket {
  /** Null while it stands. */
  ended: RelayEnd | null = null;
  private readonly fromClient: TunnelFlow;
  private readonly fromEndpoint: TunnelFlow;
  private readonly idle: Timer;
  private readonly closing: Timer;

  constructor(
    private readonly client: TunnelSide,
    private readonly endpoint: TunnelSide,
    private readonly webSocket: boolean,
    private readonly limits: TunnelLimits,
    private readonly wheel: TimerWheel,
  ) {
    this.fromClient = new TunnelFlow(client, endpoint, webSocket, () => this.passed("client"));
    this.fromEndpoint = new TunnelFlow(endpoint, client, webSocket, () => this.passed("endpoint"));
    this.idle = new Timer(() => this.onIdle());
    this.closing = new Timer(() => this.cut());
  }

  /** Bytes from the client that the endpoint has taken. */
  get bytesIn(): number {
    return this.fromClient.bytes;
  }

  /** Bytes from the endpoint that the client has taken. */
  get bytesOut(): number {
    return this.fromEndpoint.bytes;
  }

  /** Relays until both sides have ended. Never rejects. */
  async run(): Promise<void> {
    this.wheel.arm(this.idle, this.limits.idleMs);
    await Promise.all([
      this.fromClient.run().then((end) => this.onFlowOver("client", end)),
      this.fromEndpoint.run().then((end) => this.onFlowOver("endpoint", end)),
    ]);
    this.wheel.remove(this.idle);
    this.wheel.remove(this.closing);
    this.cut();
  }

  /** Closes a WebSocket with 1001. What else is spoken has no such words: it goes on. */
  goAway(): void {
    this.leave("going away");
  }

  private leave(reason: string): void {
    if (!this.webSocket || this.ended !== null) return;
    const words = { code: 1001, reason };
    this.end({ ...words, by: "weir", broken: false });
    const payload = closePayload(words);
    this.wheel.arm(this.closing, CLOSING_MS_MAX);
    this.fromEndpoint.leave(writeFrame(Opcode.close, payload, null));
    this.fromClient.leave(writeFrame(Opcode.close, payload, crypto.getRandomValues(new Uint8Array(4))));
  }

  private onIdle(): void {
    const reason = `no bytes for ${this.limits.idleMs} ms`;
    if (this.webSocket) return this.leave(reason);
    this.end({ code: null, reason, by: "weir", broken: true });
    this.cut();
  }

  private passed(by: SideName): void {
    if (this.ended === null) this.wheel.arm(this.idle, this.limits.idleMs);
    const code = (by === "client" ? this.fromClient : this.fromEndpoint).frames?.closeCode;
    if (code !== undefined) this.end({ code, reason: "", by, broken: false });
  }

  private onFlowOver(by: SideName, end: FlowEnd): void {
    const other = by === "client" ? "endpoint" : "client";
    const broke = end === "sourceBroke" || end === "sinkBroke";
    if (!broke && !this.webSocket) return;
    this.end({ code: null, reason: "", by: end === "sinkBroke" ? other : by, broken: true });
    if (end === "sourceBroke") this.cut();
    // What the side that takes no more has said before may still be on its way to the other.
    else this.wheel.arm(this.closing, CLOSING_MS_MAX);
  }

  /** Notes why it ended, once. */
  private end(how: RelayEnd): void {
    this.ended ??= how;
  }

  private cut(): void {
    this.client.close();
    this.endpoint.close();
  }
}
