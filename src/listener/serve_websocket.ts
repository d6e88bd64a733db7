// A WebSocket that Deno.serve frames: Deno's events as the proxy reads them.
//
// Deno's socket cannot be paused, says nothing of pings, and closes only in words; what follows from that
// stands in docs/listeners.md. Nothing outside this file sees Deno's WebSocket.

import { type ClientSocket, type ClientSocketEvents, CLOSING_MS_MAX, type HeaderLines } from "../exchange.ts";
import { Timer, type TimerWheel } from "../timer_wheel.ts";
import { UnsentMessages } from "./unsent_messages.ts";

/** Seconds: after half of it in silence Deno pings the client, and without a pong by its end it closes. */
const ALIVE_S = 120;
/** A client that has not taken its 101 by then has left: Deno does not tell. */
const OPENING_MS_MAX = 10_000;

/** An upgrade that Deno has prepared: `response` must go out for the socket to open. */
export interface Upgrade {
  readonly response: Response;
  readonly socket: ServeSocket;
}

/** Prepares the 101. @throws TypeError when the handshake is not one */
export function upgradeRequest(
  request: Request,
  headers: HeaderLines,
  protocol: string | null,
  events: ClientSocketEvents,
  wheel: TimerWheel,
): Upgrade {
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: ALIVE_S });
  // Not by the option: Deno reads an offer of "a,b" without a space as one name and refuses the choice.
  if (protocol !== null) response.headers.set("sec-websocket-protocol", protocol);
  for (let i = 0; i < headers.length; i += 2) response.headers.append(headers[i]!, headers[i + 1]!);
  return { response, socket: new ServeSocket(socket, events, wheel) };
}

export class ServeSocket implements ClientSocket {
  /** True once it stands; false when the client left before. */
  readonly opened: Promise<boolean>;
  /** Settles when nothing of it is left, or only a client that does not answer its close. */
  readonly over: Promise<void>;
  private readonly end = Promise.withResolvers<void>();
  private readonly closing: Timer = new Timer(this.end.resolve);
  private broken = false;
  private readonly unsent = new UnsentMessages();

  constructor(
    private readonly socket: WebSocket,
    private readonly events: ClientSocketEvents,
    private readonly wheel: TimerWheel,
  ) {
    const opened = Promise.withResolvers<boolean>();
    this.opened = opened.promise;
    this.over = this.end.promise;
    const late = new Timer(() => opened.resolve(false));
    wheel.arm(late, OPENING_MS_MAX);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => opened.resolve(true);
    socket.onmessage = ({ data }) => events.onMessage(typeof data === "string" ? data : new Uint8Array(data));
    socket.onerror = () => this.broken = true;
    socket.onclose = ({ code, reason }) => {
      // Deno's pings hold the socket of a client that broke off for up to half of ALIVE_S more.
      socket.onopen =
        socket.onmessage =
        socket.onerror =
        socket.onclose =
          null;
      opened.resolve(false);
      this.end.resolve();
      wheel.remove(this.closing);
      this.events.onClosed(this.broken ? null : code, reason);
    };
    this.opened.then((stands) => {
      wheel.remove(late);
      if (stands) return;
      // Too late for anybody: if it opens yet, it closes.
      if (socket.readyState !== WebSocket.CLOSED) socket.onopen = () => socket.close(1001);
      this.end.resolve();
    });
  }

  get unsentBytes(): number {
    return this.unsent.cost(this.socket.bufferedAmount, this.wheel.recent);
  }

  send(data: string | Uint8Array): void {
    const { socket } = this;
    if (socket.readyState !== WebSocket.OPEN) return;
    const before = socket.bufferedAmount;
    socket.send(data as string | Uint8Array<ArrayBuffer>);
    this.unsent.add(socket.bufferedAmount - before, this.wheel.recent);
  }

  close(code: number | null, reason: string): void {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    if (this.closing.deadline === Infinity) this.wheel.arm(this.closing, CLOSING_MS_MAX);
    if (code === null) this.socket.close();
    else this.socket.close(code, reason);
  }
}
