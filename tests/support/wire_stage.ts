// A connection of the wire listener on a scripted socket: what comes when, the test decides.

import { type ListenConfig, listenSchema } from "../../src/config/schema.ts";
import type { Exchange } from "../../src/exchange.ts";
import { WireConnection } from "../../src/listener/wire_connection.ts";
import { WireShared } from "../../src/listener/wire_shared.ts";
import { WireTable } from "../../src/listener/wire_table.ts";
import { settled } from "./settled.ts";
import { StillTime } from "./still_time.ts";

export const GET = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
export const POST = (lines: string): string => `POST / HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n\r\n`;
/** The head of an answer without content. */
export const EMPTY = { status: 200, reason: "OK", headers: ["Content-Length", "0"] };
/** What a connection that idles reads into. */
export const IDLE_BUFFER_BYTES = 2_048;

export const text = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : new TextDecoder().decode(bytes);

/** A client: each read waits for what it says next. */
class WireClient {
  readonly remoteAddr = { transport: "tcp", hostname: "192.0.2.1", port: 5_000 };
  readonly localAddr: Deno.NetAddr;
  /** What Weir has said; "(end)" where it said that nothing follows. */
  heard = "";
  /** Room of each read. */
  readonly rooms: number[] = [];
  closed = false;
  /** Settles when it takes what it is sent. */
  taking: Promise<void> = Promise.resolve();
  /** Most writes that were under way together. */
  writesAtOnce = 0;
  #writing = 0;
  #unread = "";
  #ended = false;
  readonly #reading: {
    readonly into: Uint8Array;
    readonly done: (count: number) => void;
    readonly failed: (error: Error) => void;
  }[] = [];

  constructor(reached: string) {
    this.localAddr = { transport: "tcp", hostname: reached, port: 3_000 };
  }

  get reads(): number {
    return this.rooms.length;
  }

  says(piece: string): Promise<void> {
    this.#unread += piece;
    return this.#go();
  }

  /** It sends no more. */
  ends(): Promise<void> {
    this.#ended = true;
    return this.#go();
  }

  read(into: Uint8Array): Promise<number> {
    this.rooms.push(into.length);
    return new Promise((done, failed) => {
      this.#reading.push({ into, done, failed });
      this.#go();
    });
  }

  #go(): Promise<void> {
    while (this.#reading.length > 0 && (this.#unread !== "" || this.#ended)) {
      const { into, done } = this.#reading.shift()!;
      const { read, written } = new TextEncoder().encodeInto(this.#unread, into);
      this.#unread = this.#unread.substring(read);
      done(written);
    }
    return settled();
  }

  async write(bytes: Uint8Array): Promise<number> {
    const text = new TextDecoder().decode(bytes);
    this.writesAtOnce = Math.max(this.writesAtOnce, ++this.#writing);
    await this.taking;
    this.#writing--;
    this.heard += text;
    return bytes.length;
  }

  closeWrite(): Promise<void> {
    this.heard += "(end)";
    return Promise.resolve();
  }

  setNoDelay(): void {}

  close(): void {
    this.closed = true;
    this.breaksOff();
  }

  /** What is being read fails. */
  breaksOff(): void {
    for (const { failed } of this.#reading.splice(0)) failed(new Deno.errors.Interrupted());
  }
}

/** A client's connection to an address of Weir's, and what it has asked. Who sends PROXY headers is trusted. */
export function connected(reached = "192.0.2.9", listen: Partial<ListenConfig> = {}) {
  const config = listenSchema.parse(listen);
  const time = new StillTime();
  const table = new WireTable(config, time.wheel, () => {});
  const exchanges: Exchange[] = [];
  const handled: (() => void)[] = [];
  const handle = (exchange: Exchange) => {
    exchanges.push(exchange);
    return new Promise<void>((resolve) => handled.push(resolve));
  };
  const client = new WireClient(reached);
  const trusts = () => config.proxyProtocol;
  const shared = new WireShared({ config, handle, trusts }, "http", table, () => 0);
  const connection = new WireConnection(client as unknown as Deno.TcpConn, shared);
  /** The last request is over. */
  const over = () => {
    handled.at(-1)!();
    return settled();
  };
  return { client, connection, exchanges, over, shared, table, time };
}
