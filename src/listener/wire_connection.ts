// One client's connection on the wire listener, from its first byte to its last: request after request, in
// the order in which they came.
//
// It moves between few phases: a PROXY header (where one is expected), then `head` and `exchange` in turn, and
// at the end `lingering`, in which the client may finish reading what it was sent. Callbacks move it, since
// every promise in between would cost each request.

import type { Exchange, PeerAddress, Unacceptable } from "../exchange.ts";
import { chunkedBodyOf, LengthBody } from "../http1/body.ts";
import type { BodyOwner, InletBody } from "../http1/inlet_body.ts";
import { emptyLinesBefore, judgeBeginning } from "../http1/request_head.ts";
import { LAST_CALL_MS, LINGER_MS } from "./closing_times.ts";
import { parseProxyHeader } from "./proxy_protocol.ts";
import { unacceptable } from "./unacceptable.ts";
import { exchangeOf, type WireExchange } from "./wire_exchange.ts";
import { readRequest, refusalOf, refusedUnread, tooLarge, type WireRequest } from "./wire_request.ts";
import type { WireShared } from "./wire_shared.ts";
import { WireSocket } from "./wire_socket.ts";
import type { Tabled } from "./wire_table.ts";

const CR = 13;

type Phase = "proxyHeader" | "head" | "exchange" | "tunnel" | "lingering" | "closed";

export class WireConnection implements Tabled, BodyOwner {
  readonly socket: WireSocket;
  address: string | null;
  older: Tabled | null = null;
  newer: Tabled | null = null;
  idle = false;
  idleSince = 0;
  /** Who the client is: the socket's peer, or whom a PROXY header names. */
  peer: PeerAddress;
  /** The request's body was read to its end; what follows on the connection is the next request. */
  bodyDone = true;
  private phase: Phase = "head";
  private deadline: number;
  private requests = 0;
  private exchange: WireExchange | null = null;
  private readonly expiresAt: number;
  private readonly requestsMax: number;
  private readonly exchangeOver = this.onExchangeOver.bind(this);

  constructor(conn: Deno.TcpConn | Deno.TlsConn, private readonly shared: WireShared) {
    const { table, config } = shared;
    this.peer = conn.remoteAddr as Deno.NetAddr;
    this.address = shared.counted(this.peer.hostname);
    this.socket = new WireSocket(
      conn,
      table,
      shared.socketLimits,
      () => this.onWatched(),
      () => this.close(),
    );
    table.add(this);
    table.idle(this);
    this.deadline = table.after(config.headReadMs);
    this.expiresAt = shared.expiry();
    this.requestsMax = shared.requestsMax();
    if (config.proxyProtocol && shared.trusts(this.peer.hostname)) this.phase = "proxyHeader";
    this.socket.watch();
  }

  private onWatched(): void {
    if (this.socket.ended) return this.onPeerEnded();
    if (this.phase === "head") this.readHead();
    else if (this.phase === "proxyHeader") this.readProxyHeader();
    else if (this.phase === "lingering") this.discard();
    else if (this.phase === "exchange") this.socket.watchBeside();
  }

  /** The client closed its side. */
  private onPeerEnded(): void {
    if (this.phase === "exchange") this.exchange!.clientEnded();
    else if (this.phase !== "tunnel") this.close();
  }

  private readProxyHeader(): void {
    const { inlet } = this.socket;
    try {
      const header = parseProxyHeader(inlet.bytes, inlet.start, inlet.end);
      if (header === null) return this.socket.watch();
      inlet.skip(header.bytes);
      this.peer = header.peer ?? this.peer;
      if (!this.shared.names(this, this.peer.hostname)) return this.close();
    } catch (error) {
      return this.refuse(refusalOf(error));
    }
    // It idles on: the header is no request.
    this.phase = "head";
    this.readHead();
  }

  private readHead(): void {
    const { socket, shared } = this;
    const { inlet } = socket;
    if (inlet.bytes[inlet.start] === CR) inlet.skip(emptyLinesBefore(inlet.bytes, inlet.start, inlet.end));
    // Empty lines alone are no request that has begun: they win no time.
    if (inlet.available === 0) return socket.watch();
    const end = inlet.sectionEnd();
    if (end < 0) return this.awaitHead();
    if (end - inlet.start > shared.config.headBytesMax) return this.refuseTooLarge();
    const request = readRequest(inlet, end, shared, socket);
    inlet.skip(end - inlet.start);
    this.begin(request);
  }

  /** More of the head must come; its time runs from its first byte. */
  private awaitHead(): void {
    const { shared, socket, socket: { inlet } } = this;
    if (this.idle) {
      shared.table.busy(this);
      if (this.requests > 0) this.deadline = shared.table.after(shared.config.headReadMs);
    }
    try {
      judgeBeginning(inlet.bytes, inlet.start, inlet.end, inlet.unsearched);
    } catch (error) {
      return this.refuse(refusalOf(error));
    }
    inlet.searched = inlet.available;
    if (inlet.available >= shared.config.headBytesMax || !inlet.makeRoom(shared.config.headBytesMax)) {
      return this.refuseTooLarge();
    }
    socket.watch();
  }

  private refuseTooLarge(): void {
    const { bytes, start, end } = this.socket.inlet;
    this.refuse(tooLarge(bytes, start, end, this.shared.config.headBytesMax));
  }

  /** A request that cannot be read to its end goes through the proxy, which answers, counts and logs it. */
  private refuse(why: Unacceptable): void {
    const { inlet } = this.socket;
    const request = refusedUnread(inlet, this.shared.scheme, why);
    inlet.clear();
    this.begin(request);
  }

  private begin(request: WireRequest): void {
    const { shared, socket } = this;
    shared.table.busy(this);
    this.phase = "exchange";
    this.deadline = Infinity;
    this.requests++;
    const body = this.bodyOf(request);
    this.bodyDone = body === null;
    const exchange = this.exchange = exchangeOf(this, request, body);
    // RFC 9112 9.6: behind the last request that a client announces nothing more comes. A read that is broken off by
    // the connection's end costs a tenth of such a request, so it waits for the sweep.
    if (body === null && !exchange.endsClient) socket.watchBeside();
    shared.handle(exchange as Exchange).then(this.exchangeOver);
    if (socket.ended) this.onPeerEnded();
  }

  private bodyOf({ head, framing }: WireRequest): InletBody | null {
    const { contentLength } = framing;
    if (contentLength === 0) return null;
    const { inlet } = this.socket.beginBody(framing.expectsContinue);
    if (contentLength === null) return chunkedBodyOf(head.headers, inlet, this);
    return new LengthBody(inlet, contentLength, this);
  }

  /** The request's body is over. */
  bodyEnded(complete: boolean): void {
    this.bodyDone = complete;
    if (!complete || this.phase !== "exchange") return;
    if (this.socket.ended) this.onPeerEnded();
    else this.socket.watchBeside();
  }

  private onExchangeOver(): void {
    const exchange = this.exchange!;
    this.exchange = null;
    if (this.phase === "closed") return;
    if (!exchange.ended || this.phase === "tunnel") return this.close();
    if (exchange.closes) return this.finish(exchange);
    this.phase = "head";
    if (this.socket.ended && !this.socket.holdsHead(0)) return this.close();
    const { table, config, draining } = this.shared;
    table.idle(this);
    this.deadline = table.after(config.keepAliveIdleMs);
    if (draining) this.drain();
    if (this.socket.inlet.available > 0) return this.readHead();
    this.socket.watch();
  }

  /** Whether the next answer is to be the last: the connection has served long or often enough. */
  get isDue(): boolean {
    return this.shared.draining || this.requests >= this.requestsMax ||
      this.shared.table.clock >= this.expiresAt;
  }

  /** From now on its bytes are a tunnel's. */
  becomeTunnel(): void {
    this.phase = "tunnel";
  }

  /** The last answer is out. RFC 9112 9.6: closing over unread bytes would reset it away from the client. */
  private finish(exchange: WireExchange): void {
    const { socket, shared } = this;
    const nothingMore = socket.ended ||
      (exchange.endsClient && this.bodyDone && socket.inlet.available === 0 && shared.scheme === "http");
    if (nothingMore) return this.close();
    this.phase = "lingering";
    this.deadline = shared.table.after(LINGER_MS);
    socket.closeWrite().catch(() => this.close());
    this.discard();
  }

  private discard(): void {
    this.socket.inlet.clear();
    this.socket.watch();
  }

  checkDeadlines(clock: number): void {
    if (this.socket.checkDeadlines(clock)) return this.close();
    // A client that leaves is noticed, also one that is not read from by itself.
    if (this.phase === "exchange" && this.bodyDone) this.socket.watchBeside();
    else this.exchange?.watchBehindBody();
    if (clock < this.deadline) return;
    const begun = this.phase === "head" && this.socket.inlet.available > 0;
    if (!begun) return this.close();
    this.refuse(unacceptable(408, "the request head did not come in time"));
  }

  /** Weir leaves: a request may be on its way to what idles, so it may ask once more, soon. */
  drain(): void {
    if (this.idle) this.deadline = Math.min(this.deadline, this.shared.table.after(LAST_CALL_MS));
  }

  close(): void {
    if (this.phase === "closed") return;
    this.phase = "closed";
    this.exchange?.leave();
    this.socket.close();
    this.shared.table.remove(this);
  }

  giveWay(): Promise<void> {
    this.close();
    return this.socket.freed();
  }
}
