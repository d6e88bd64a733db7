// One request on a wire connection, and its one answer.

import {
  type Body,
  type Delivery,
  type Exchange,
  type ExchangeListener,
  headerValue,
  type PeerAddress,
  type RequestHead,
  type ResponseHead,
  type Tunnel,
  type Unacceptable,
} from "../exchange.ts";
import { LengthBody } from "../http1/body.ts";
import type { InletBody } from "../http1/inlet_body.ts";
import { latin1Bytes } from "../http1/latin1.ts";
import { interimHeadText, type ResponseFraming, type ResponseShape } from "../http1/response_writer.ts";
import { type AnswerOwner, sendAnswer } from "./wire_answer.ts";
import type { WireConnection } from "./wire_connection.ts";
import type { WireRequest } from "./wire_request.ts";
import type { WireSocket } from "./wire_socket.ts";
import { ClientTunnel } from "./wire_tunnel.ts";

export class WireExchange implements Exchange, AnswerOwner {
  readonly head: RequestHead;
  readonly unacceptable: Unacceptable | null;
  clientGone = false;
  listener: ExchangeListener | null = null;
  /** The answer went out whole. */
  delivered = false;
  /** The answer's source broke it off: it is Weir that leaves. */
  private cut = false;
  /** The connection ends with this answer. */
  closes = false;
  /** The client said that no other request follows. */
  private readonly lastOfClient: boolean;
  protected informed: Promise<boolean> | null = null;

  constructor(
    protected readonly connection: WireConnection,
    request: WireRequest,
    readonly body: InletBody | null,
  ) {
    this.head = request.head;
    this.unacceptable = request.unacceptable;
    this.lastOfClient = !request.framing.persistent;
  }

  /** RFC 9112 7.1.2: trailers come with chunks, which HTTP/1.0 does not have. */
  get relaysTrailers(): boolean {
    return this.head.version === "1.1";
  }

  /** Nothing comes behind the request. Of one that was refused unread the client may still be sending the rest. */
  get endsClient(): boolean {
    return this.lastOfClient && this.unacceptable === null;
  }

  get peer(): PeerAddress {
    return this.connection.peer;
  }

  /** The client has closed its side. */
  clientEnded(): void {
    // One that announced its last request may half-close after it, and one that has come behind may announce that;
    // any other client has left.
    if (!this.lastOfClient && !this.mayHoldNext()) this.leave();
  }

  /** Whether another request has come behind this one; true while only the end of the body will tell. */
  private mayHoldNext(): boolean {
    const { body, connection: { bodyDone, socket } } = this;
    if (bodyDone || body === null) return socket.holdsHead(0);
    return !(body instanceof LengthBody) || socket.holdsHead(body.left);
  }

  /** While its body waits to be read, a client that leaves is noticed behind it. */
  watchBehindBody(): void {
    if (this.body instanceof LengthBody) this.socket.watchBehind(this.body.left);
  }

  /** The client has left. */
  leave(): void {
    if (this.clientGone || this.delivered || this.cut) return;
    this.clientGone = true;
    this.listener?.clientLeft();
  }

  respond(head: ResponseHead, body: Body | null): Promise<Delivery> {
    return this.informed === null ? this.send(head, body) : this.informed.then(() => this.send(head, body));
  }

  private send(head: ResponseHead, body: Body | null): Promise<Delivery> {
    if (this.clientGone) {
      body?.cancel();
      return Promise.resolve({ kind: "clientGone", bytes: 0 });
    }
    const sent = hasNoBody(this.head.method, head.status) ? null : body;
    if (sent === null) body?.cancel();
    return sendAnswer(this, head, sent, this.shapeOf(head, sent));
  }

  get socket(): WireSocket {
    return this.connection.socket;
  }

  answered(delivery: Delivery): Delivery {
    this.delivered = delivery.kind === "complete";
    this.cut = delivery.kind === "truncated";
    // A cut answer must not look complete: the connection goes with it.
    if (this.cut) this.closes = true;
    if (!this.ended) this.connection.close();
    return delivery;
  }

  /**
   * The answer went out as far as it will, and its client can tell whether that is whole: closing at once might take
   * away from it what it has not read of the answers before.
   */
  get ended(): boolean {
    return this.delivered || (this.cut && this.head.version === "1.1");
  }

  private shapeOf(head: ResponseHead, body: Body | null): ResponseShape {
    const old = this.head.version === "1.0";
    const framing = framingOf(this.head.method, head.status, body, old);
    this.closes = this.lastOfClient || framing === "untilClose" || this.connection.isDue ||
      !this.requestOver() || asksToClose(head);
    return { framing, length: body?.length ?? 0, close: this.closes, keepAlive: old && !this.closes };
  }

  /** Whether the next request begins where this one's body ends; passes over one that was given up and is all here. */
  private requestOver(): boolean {
    const { connection, body } = this;
    if (connection.bodyDone || body === null) return true;
    // Whoever still sends it to an endpoint would take what is passed over for its end.
    if (body.ended && body.lendWhole(passOver) >= 0) connection.bodyEnded(true);
    return connection.bodyDone;
  }

  inform(head: ResponseHead): Promise<void> {
    // RFC 9110 15.2: no interim answers to HTTP/1.0 clients; none after the final one.
    if (this.head.version === "1.0" || this.clientGone || this.delivered) return Promise.resolve();
    if (head.status === 100) this.socket.askForBody();
    const bytes = latin1Bytes(interimHeadText(head));
    const before = this.informed;
    const write = () => this.connection.socket.write(bytes);
    this.informed = before === null ? write() : before.then(write);
    return this.informed.then(() => {});
  }
}

/** A request whose client would rather speak something else on this connection. */
class UpgradableExchange extends WireExchange {
  async upgrade(head: ResponseHead): Promise<Tunnel> {
    const { connection } = this;
    if (this.informed !== null) await this.informed;
    connection.becomeTunnel();
    const bytes = latin1Bytes(interimHeadText(head));
    this.delivered = await connection.socket.write(bytes);
    return new ClientTunnel(connection);
  }
}

/** What answers a request; one that asks for another protocol may get it, unless a body comes first. */
export function exchangeOf(
  connection: WireConnection,
  request: WireRequest,
  body: InletBody | null,
): WireExchange {
  const upgrades = request.framing.upgrade !== null && body === null;
  return new (upgrades ? UpgradableExchange : WireExchange)(connection, request, body);
}

function passOver(): void {}

/** RFC 9112 6.3: no body, whatever the answer's fields say. */
function hasNoBody(method: string, status: number): boolean {
  return method === "HEAD" || status === 204 || status === 304;
}

function framingOf(method: string, status: number, body: Body | null, old: boolean): ResponseFraming {
  if (status === 204) return "none";
  if (hasNoBody(method, status)) return "asWritten";
  if (body === null || body.length !== null) return "length";
  return old ? "untilClose" : "chunked";
}

function asksToClose(head: ResponseHead): boolean {
  // The text holds no field for one hop.
  if (typeof head.text === "string") return false;
  const value = headerValue(head.headers, "connection");
  return value !== undefined && value.toLowerCase().includes("close");
}
