// One request of Deno.serve and the answer to it, as the exchange that the proxy sees.

import type {
  Body,
  ClientSocket,
  ClientSocketEvents,
  Delivery,
  Exchange,
  ExchangeListener,
  HeaderLines,
  PeerAddress,
  RequestHead,
  ResponseHead,
  Unacceptable,
} from "../exchange.ts";
import { headerValue } from "../exchange.ts";
import type { Rotation } from "./rotation.ts";
import { Beginning } from "./beginning.ts";
import { addLines, type ServeFraming } from "./serve_answer_lines.ts";
import { type BodySurroundings, ServeBody, type StreamedRequest } from "./serve_body.ts";
import { isCancelled, TURNS } from "./serve_cancel.ts";
import { collectedAnswer, isCollected } from "./serve_collect.ts";
import { type Content, freeContent, responseOf } from "./serve_content.ts";
import type { Departures, Watched } from "./serve_departures.ts";
import { type ReadHead, readHead } from "./serve_request.ts";
import { responseStream } from "./serve_stream.ts";
import type { Uploads } from "./serve_uploads.ts";
import { upgradeRequest } from "./serve_websocket.ts";

const NOTHING_TO_SEND: Delivery = { kind: "complete", bytes: 0 };
/** Of a HEAD answer Deno cancels the stream over HTTP/1.1; over HTTP/2 the answer ends with it. */
const ENDED: UnderlyingDefaultSource<Uint8Array> = { start: (controller) => controller.close() };

/** Statuses whose Response may not have a body. */
function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}

/** What the exchanges of one listener share. */
export interface ServeShared extends BodySurroundings {
  readonly scheme: "http" | "https";
  /** The authority of a request that names none itself, from the one that Deno names. */
  readonly authorityOf: (authority: string) => string;
  readonly uploads: Uploads;
  readonly rotation: Rotation;
  readonly departures: Departures;
}

export class ServeExchange implements Exchange, Watched {
  head!: RequestHead;
  body: ServeBody | null = null;
  unacceptable: Unacceptable | null = null;
  listener: ExchangeListener | null = null;
  clientGone = false;
  watchAt = 0;
  older: Watched | null = null;
  newer: Watched | null = null;
  private resolve!: (response: Response) => void;
  /** Not null once answered. */
  private response: Response | null = null;

  constructor(
    private readonly request: Request,
    readonly peer: PeerAddress,
    private readonly shared: ServeShared,
    /** Not looked at: it lasts as long as the exchange, for `Exemplars`. */
    readonly info: unknown,
  ) {}

  run(handle: (exchange: Exchange) => Promise<void>): Promise<Response> {
    const read = readHead(this.request, this.shared);
    this.head = read.head;
    const response = new Promise<Response>((resolve) => this.resolve = resolve);
    // Of a client that has left, Deno tells whoever asks later over HTTP/1.1 only, and nobody once an upgrade is under way.
    if (read.upgrades || read.head.version === "2") this.shared.departures.watch(this);
    else this.shared.departures.add(this);
    this.unacceptable = read.unacceptable;
    const hasBody = read.hasBody && this.request.body !== null;
    const handled = hasBody ? this.runWithBody(handle, read) : handle(this);
    handled.then(() => this.letGo());
    return response;
  }

  /** Of a client that left, Deno holds the request, and `shutdown()`, until it is answered; who is cut off would get it. */
  private letGo(): void {
    const { departures } = this.shared;
    departures.remove(this);
    if (this.response !== null) freeContent(this.response);
    else if (!departures.over) this.answer(new Response(null, { status: 500 }));
  }

  /** Begins to listen for the client's leaving: it may have left already. Of an answer, Deno cancels the stream. */
  watch(): void {
    if (this.response !== null) return;
    const { signal } = this.request;
    if (signal.aborted) this.leave();
    else signal.addEventListener("abort", () => this.leave());
  }

  private answer(response: Response): void {
    this.response = response;
    this.resolve(response);
  }

  private async runWithBody(
    handle: (exchange: Exchange) => Promise<void>,
    read: ReadHead,
  ): Promise<void> {
    const { shared } = this;
    const body = new ServeBody(this.request as StreamedRequest, read, shared, shared.uploads.begin());
    this.body = body;
    try {
      if (read.undeclared) {
        if (await body.isNone()) this.body = null;
      } else if (read.head.version === "2" && this.awaitsBody()) await body.begins();
    } catch {
      this.leave();
    }
    await handle(this);
  }

  /** Over HTTP/2 a body comes in a frame of its own; one whose client waits for 100 comes when it is read. */
  private awaitsBody(): boolean {
    return headerValue(this.head.headers, "expect") === undefined;
  }

  leave(): void {
    if (this.clientGone) return;
    this.clientGone = true;
    this.listener?.clientLeft();
  }

  /** What `Response` takes. */
  get statusMax(): number {
    return 599;
  }

  respond(head: ResponseHead, body: Body | null): Delivery | Promise<Delivery> {
    if (head.status === 205) return this.respondReset(head, body);
    if (this.head.method === "HEAD") return this.respondToHead(head, body);
    if (body === null || isBodiless(head.status)) {
      body?.cancel();
      this.send(head, null);
      return NOTHING_TO_SEND;
    }
    const bytes = this.sendWhole(head, body);
    if (bytes >= 0) return { kind: this.clientGone ? "clientGone" : "complete", bytes };
    if (isCollected(body)) {
      return collectedAnswer(body, this.upload, this.shared.wheel, (content) => this.send(head, content));
    }
    const mayEndSoon = this.shared.scheme === "https" && body.length === null;
    return mayEndSoon ? this.sendInOne(head, body) : this.stream(head, body);
  }

  /** What is here already. Chunks stay chunks: those Deno writes together with the head. */
  private sendWhole(head: ResponseHead, body: Body): number {
    const framing = body.length === null ? "chunked" : "counted";
    return body.lendWhole?.((content) => this.send(head, content, framing)) ?? -1;
  }

  /** What has to be left before the answer is cut: over HTTP/2 a reset cuts both. */
  private get upload(): ServeBody | null {
    return this.head.version === "2" ? null : this.body;
  }

  private stream(head: ResponseHead, body: Body): Promise<Delivery> {
    return new Promise<Delivery>((settle) => this.send(head, responseStream(body, this.upload, settle)));
  }

  /** Whole, when its end comes in a moment. */
  private async sendInOne(head: ResponseHead, body: Body): Promise<Delivery> {
    const beginning = new Beginning(body, this.shared.wheel);
    await beginning.waited();
    const whole = beginning.whole();
    if (whole === null) return await this.stream(head, beginning);
    this.send(head, whole);
    beginning.letGo();
    return { kind: this.clientGone ? "clientGone" : "complete", bytes: whole.length };
  }

  private send(head: ResponseHead, content: Content | null, framing: ServeFraming = "declared"): void {
    const http2 = this.head.version === "2";
    // RFC 9113 6.9: who opens no window has the answers of all its streams wait here, and none in the kernel.
    const response = responseOf(content, head.status, !http2);
    const leaving = addLines(response, head, framing, http2);
    const due = !http2 && (this.shared.rotation.isDue(this.peer) || this.shared.uploads.leaving);
    // Deno.serve does not close: the client does.
    if (due && !leaving) response.headers.append("connection", "close");
    this.answer(response);
  }

  /** HTTP/1.1 only: an HTTP/2 request has no Upgrade. */
  async acceptWebSocket(
    headers: HeaderLines,
    protocol: string | null,
    events: ClientSocketEvents,
  ): Promise<ClientSocket | null> {
    // Once the upgrade is under way nobody would tell, and Deno keeps the connection of one that it knows to have left.
    if (await isCancelled(this.request.signal, TURNS, null) || this.clientGone) return null;
    const { response, socket } = upgradeRequest(this.request, headers, protocol, events, this.shared.wheel);
    this.shared.departures.remove(this);
    socket.over.then(this.shared.uploads.begin());
    this.answer(response);
    return await socket.opened ? socket : null;
  }

  /** A HEAD answer without Content-Length must not get one: a stream keeps it away, and ends where Deno reads it. */
  private respondToHead(head: ResponseHead, body: Body | null): Delivery {
    body?.cancel();
    const sized = headerValue(head.headers, "content-length") !== undefined;
    this.send(head, sized || isBodiless(head.status) ? null : new ReadableStream(ENDED));
    return NOTHING_TO_SEND;
  }

  /**
   * A 205 of Deno's says nowhere that it ends (RFC 9110 15.3.6): over HTTP/1.1 the client would wait, and take the
   * next answer for its body. A 204 means the same to whatever does not show a form.
   */
  private respondReset({ reason, headers }: ResponseHead, body: Body | null): Delivery {
    body?.cancel();
    this.send({ status: this.head.version === "2" ? 205 : 204, reason, headers }, null, "counted");
    return NOTHING_TO_SEND;
  }
}
