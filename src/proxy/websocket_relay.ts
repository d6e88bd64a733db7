// The two sides of a WebSocket joined: every message goes across as it is, and so do the close code and its
// reason. Whoever ends it, both sides hear why, once, and the relay is over a moment later.
//
// Codes that may not stand on the wire never do (RFC 6455 7.4.1): a close without a code stays without one,
// and a client that broke off is shown to the endpoint as just that, after all that it had said. Deno's side of
// the client can only close in words, so an endpoint that broke off becomes 1011 there.

import { type ClientSocket, type ClientSocketEvents, CLOSING_MS_MAX } from "../exchange.ts";
import type { Incoming } from "../http1/frame_reader.ts";
import { type CloseWords, FrameError } from "../http1/frames.ts";
import { Timer, type TimerWheel } from "../timer_wheel.ts";
import type { EndpointSocket } from "../upstream/endpoint_socket.ts";
import type { OpenSocket } from "./open_sockets.ts";

/** What bounds a WebSocket, each with the close code of whoever goes beyond it. */
export interface RelayLimits {
  /** Largest message: 1009. */
  readonly messageBytesMax: number;
  /** Most bytes that wait for a slow reader: 1013. */
  readonly bufferedBytesMax: number;
  /** Longest silence of both sides: 1001. */
  readonly idleMs: number;
}

/** How a relay ended. `code` null: no close frame, or one without a code. */
export interface RelayEnd extends CloseWords {
  readonly by: "client" | "endpoint" | "weir";
  /** Without a close frame. */
  readonly broken: boolean;
}

/** What a relay needs of the endpoint's side. */
export type EndpointSide = Pick<EndpointSocket, "unsentBytes" | "listen" | "send" | "close" | "drop">;

/** The clocks of a relay's event loop. */
export interface RelayClock {
  readonly wheel: TimerWheel;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/**
 * Who takes nothing for so long does not read any more: a client of a full buffer, an endpoint of what a client left.
 * The system's own buffer is 4 MB (tcp_wmem) and has room again by the third, which a slow reader takes 20 s for.
 */
export const STALLED_MS_MAX = 60_000;
/** A message counts as taken only once it is taken whole, so a large one may take its time: half a megabit a second. */
export const TAKEN_BYTES_PER_MS_MIN = 64;
const ROOM_CHECK_MS = 10;
/** A client that has taken nothing for so long is looked at less often. */
const STANDING_MS = 1_000;
const STANDING_CHECK_MS = 250;

export class WebSocketRelay implements ClientSocketEvents, OpenSocket {
  /** Bytes of messages from the client. */
  bytesIn = 0;
  /** Bytes of messages to the client. */
  bytesOut = 0;
  /** Null while it stands. */
  ended: RelayEnd | null = null;
  /** The largest message to the client so far. */
  private bytesOutMax = 0;
  /** What the endpoint had not taken when that was looked at after the end. */
  private unsentBytes = Infinity;
  private client: ClientSocket | null = null;
  private clientOver = false;
  private endpointOver = false;
  private readonly over = Promise.withResolvers<void>();
  private readonly idle: Timer;
  private readonly closing: Timer;

  constructor(
    private readonly endpoint: EndpointSide,
    private readonly limits: RelayLimits,
    private readonly clock: RelayClock,
  ) {
    this.idle = new Timer(() => this.endBoth(1001, `no message for ${limits.idleMs} ms`));
    this.closing = new Timer(() => this.onLate());
  }

  /** Relays until both sides are closed. Never rejects. */
  async run(client: ClientSocket): Promise<void> {
    this.client = client;
    this.stirred();
    this.endpoint.listen((incoming) => this.fromEndpoint(incoming)).then(
      (closed) => this.onEndpointOver(closed),
      (error) => this.onEndpointFailed(error),
    );
    await this.over.promise;
    this.clock.wheel.remove(this.idle);
    this.clock.wheel.remove(this.closing);
    this.endpoint.drop();
  }

  onMessage(data: string | Uint8Array): void {
    if (this.ended !== null) return;
    const bytes = byteLength(data);
    this.bytesIn += bytes;
    this.stirred();
    if (bytes > this.limits.messageBytesMax) return this.endTooLarge();
    const waiting = this.endpoint.unsentBytes > 0;
    this.endpoint.send(data);
    // The client cannot be held back, so what the endpoint does not take is all here. One message alone may be larger.
    if (waiting && this.endpoint.unsentBytes > this.limits.bufferedBytesMax) {
      this.endBoth(1013, "the other side reads too slowly");
    }
  }

  onClosed(code: number | null, reason: string): void {
    this.clientOver = true;
    const broken = code === null;
    const words = { code: code === 1005 ? null : code, reason };
    this.end({ ...words, by: "client", broken }, null, broken ? null : words);
    this.settle();
  }

  goAway(): void {
    this.endBoth(1001, "going away");
  }

  private async fromEndpoint(incoming: Incoming): Promise<void> {
    if (this.ended !== null) return;
    this.stirred();
    switch (incoming.kind) {
      case "text":
      case "binary":
        await this.roomFor(incoming.bytes);
        if (this.ended !== null) return;
        this.bytesOut += incoming.bytes;
        this.bytesOutMax = Math.max(this.bytesOutMax, incoming.bytes);
        return this.client!.send(incoming.kind === "text" ? incoming.text : incoming.data);
      case "close":
        return this.end({ ...incoming.words, by: "endpoint", broken: false }, incoming.words, incoming.words);
    }
  }

  /** Waits until the client has taken enough; the endpoint is held back meanwhile. */
  private async roomFor(bytes: number): Promise<void> {
    const { wheel, now } = this.clock;
    let unsent = this.client!.unsentBytes;
    let movedAt = now();
    const stalledMsMax = STALLED_MS_MAX + this.bytesOutMax / TAKEN_BYTES_PER_MS_MIN;
    while (unsent > 0 && unsent + bytes > this.limits.bufferedBytesMax && this.ended === null) {
      const stoodMs = now() - movedAt;
      if (stoodMs >= stalledMsMax) return this.endBoth(1013, "reads too slowly");
      const checkMs = stoodMs < STANDING_MS ? ROOM_CHECK_MS : STANDING_CHECK_MS;
      await new Promise<void>((resolve) => wheel.arm(new Timer(resolve), checkMs));
      const left = this.client!.unsentBytes;
      if (left < unsent) {
        movedAt = now();
        this.stirred();
      }
      unsent = left;
    }
  }

  private onEndpointOver(closed: boolean): void {
    this.endpointOver = true;
    if (!closed) this.endBroken();
    this.settle();
  }

  private onEndpointFailed(error: unknown): void {
    this.endpointOver = true;
    if (!(error instanceof FrameError)) this.endBroken();
    else if (error.code === 1009) this.endTooLarge();
    else {
      const toEndpoint = { code: error.code, reason: error.message };
      this.end({ ...toEndpoint, by: "weir", broken: false }, BROKEN, toEndpoint);
    }
    this.settle();
  }

  /** The endpoint's connection ended without a close frame. */
  private endBroken(): void {
    this.end({ code: null, reason: "", by: "endpoint", broken: true }, BROKEN, null);
  }

  private endTooLarge(): void {
    this.endBoth(1009, `message larger than ${this.limits.messageBytesMax} bytes`);
  }

  private endBoth(code: number, reason: string): void {
    const words = { code, reason };
    this.end({ ...words, by: "weir", broken: false }, words, words);
  }

  /** Ends it, once; later calls change nothing. */
  private end(how: RelayEnd, toClient: CloseWords | null, toEndpoint: CloseWords | null): void {
    if (this.ended !== null) return;
    this.ended = how;
    const { wheel } = this.clock;
    wheel.disarm(this.idle);
    wheel.arm(this.closing, CLOSING_MS_MAX);
    this.endpoint.close(toEndpoint);
    if (toClient !== null) this.client?.close(toClient.code, toClient.reason);
  }

  /** The endpoint has had its time, and gets more for what a client said before it left. */
  private onLate(): void {
    const { unsentBytes } = this.endpoint;
    if (this.ended!.by === "client" && unsentBytes > 0 && unsentBytes < this.unsentBytes) {
      this.unsentBytes = unsentBytes;
      return this.clock.wheel.arm(this.closing, STALLED_MS_MAX);
    }
    this.endpoint.drop();
    this.over.resolve();
  }

  private settle(): void {
    if (this.clientOver && this.endpointOver) this.over.resolve();
  }

  /** What stirs after the end keeps nobody waiting, and nothing in memory. */
  private stirred(): void {
    if (this.ended === null) this.clock.wheel.arm(this.idle, this.limits.idleMs);
  }
}

const BROKEN: CloseWords = { code: 1011, reason: "the other side broke off" };

/** Bytes of a message as it stands on the wire. */
function byteLength(data: string | Uint8Array): number {
  return typeof data === "string" ? utf8Length(data) : data.length;
}

function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    // Each half of a surrogate pair stands for two of the pair's four bytes.
    bytes += code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}
