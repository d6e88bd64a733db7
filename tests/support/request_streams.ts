// Streams of request bytes as two servers read them: Weir's wire listener in this process, and node:http
// (llhttp) in a Node.js beside it.

import { listenSchema } from "../../src/config/schema.ts";
import { type Exchange, type HeaderLines } from "../../src/exchange.ts";
import { WireConnection } from "../../src/listener/wire_connection.ts";
import { WireShared } from "../../src/listener/wire_shared.ts";
import { WireTable } from "../../src/listener/wire_table.ts";
import { concat, fromLatin1 } from "./raw_http.ts";
import { StillTime } from "./still_time.ts";
import { requireTool } from "./tools.ts";

/** A request that was read to its end. */
export interface ReadMessage {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderLines;
  readonly body: string;
  readonly trailers: HeaderLines;
}

export interface StreamReading {
  readonly messages: readonly ReadMessage[];
  /** Why nothing more is read; null: it waits for more. */
  readonly refused: string | null;
}

/** What node:http reads in each stream. */
export async function readWithLlhttp(streams: readonly Uint8Array[]): Promise<StreamReading[]> {
  const child = new Deno.Command(requireTool("node"), {
    args: [new URL("llhttp_oracle.mjs", import.meta.url).pathname],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  writer.write(new TextEncoder().encode(JSON.stringify(streams.map((bytes) => bytes.toBase64()))));
  writer.close();
  const { stdout } = await child.output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** What the wire listener reads in pieces that arrive one after the other. */
export async function readWithWire(pieces: readonly Uint8Array[]): Promise<StreamReading> {
  const messages: ReadMessage[] = [];
  let refused: string | null = null;
  const conn = new ScriptedConn(pieces);
  const table = new WireTable(LISTEN, new StillTime().wheel, () => {});
  const handle = async (exchange: Exchange) => {
    const { head, body, unacceptable } = exchange;
    if (unacceptable !== null) refused ??= String(unacceptable.status);
    else {
      try {
        const bytes: Uint8Array[] = [];
        for (let piece = await body?.read(); piece; piece = await body!.read()) bytes.push(piece.slice());
        const { method, target, headers } = head;
        const trailers = body?.trailers ?? [];
        messages.push({ method, target, headers, body: fromLatin1(concat(bytes)), trailers });
      } catch (error) {
        refused ??= String(error);
      }
    }
    await exchange.respond({ status: refused === null ? 200 : 400, reason: "", headers: [] }, null);
  };
  new WireConnection(
    conn as unknown as Deno.TcpConn,
    new WireShared({ config: LISTEN, handle, trusts: () => false }, "http", table, () => 0),
  );
  await conn.quiet;
  if (conn.closed) refused ??= "closed";
  conn.close();
  return { messages, refused };
}

const LISTEN = listenSchema.parse({});

/** A connection whose client sends these pieces and then waits. */
class ScriptedConn {
  readonly remoteAddr = { transport: "tcp", hostname: "127.0.0.1", port: 1 } as const;
  readonly localAddr = this.remoteAddr;
  /** Weir has said that it is done with this client. */
  closed = false;
  /** Settles when Weir wants more than there is, or has closed. */
  readonly quiet: Promise<void>;
  #settle!: () => void;
  #end: (() => void) | null = null;
  readonly #left: Uint8Array[];

  constructor(pieces: readonly Uint8Array[]) {
    this.#left = pieces.filter(({ length }) => length > 0);
    this.quiet = new Promise((resolve) => this.#settle = resolve);
  }

  async read(into: Uint8Array): Promise<number | null> {
    const piece = this.#left.shift();
    if (piece === undefined) return await this.#starve();
    const taken = piece.subarray(0, into.length);
    into.set(taken);
    if (taken.length < piece.length) this.#left.unshift(piece.subarray(taken.length));
    return taken.length;
  }

  /** Whatever follows from what was read has followed when macrotasks run again. */
  #starve(): Promise<number | null> {
    setTimeout(this.#settle, 0);
    return new Promise((_, reject) => this.#end = () => reject(new Deno.errors.Interrupted("closed")));
  }

  async write(bytes: Uint8Array): Promise<number> {
    return bytes.length;
  }

  async closeWrite(): Promise<void> {
    this.closed = true;
  }

  close(): void {
    this.closed = true;
    this.#end?.();
    this.#settle();
  }
}
