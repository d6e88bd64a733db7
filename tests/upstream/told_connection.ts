// A connection to an endpoint that says what the test says, by a clock that stands still.

import { Connection } from "../../src/upstream/connection.ts";
import { latin1 } from "../support/raw_http.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";

/** Bytes, null for the end of what it sends, or what breaks the connection. */
export type Said = string | null | Error;

/** A connection on which the endpoint says what the test says; closing it breaks what is read. */
class ToldConn {
  closed = false;
  reads = 0;
  /** What a write meets. */
  refusal: Error | null = null;
  /** When the system takes what is written. */
  room: Promise<void> = Promise.resolve();
  private saying = Promise.withResolvers<Said>();

  async read(into: Uint8Array): Promise<number | null> {
    this.reads++;
    const said = await this.saying.promise;
    this.saying = Promise.withResolvers();
    if (said instanceof Error) throw said;
    if (said !== null) into.set(latin1(said));
    return said?.length ?? null;
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.refusal === null ? this.room.then(() => bytes.length) : Promise.reject(this.refusal);
  }

  say(what: Said): Promise<void> {
    this.saying.resolve(what);
    return settled();
  }

  close(): void {
    this.closed = true;
    this.saying.resolve(new Deno.errors.BadResource("closed"));
  }
}

/** A connection at 1000 ms, and what its keeper hears. */
export function toldConnection() {
  const time = new StillTime(1_000);
  const conn = new ToldConn();
  const connection = new Connection(conn as unknown as Deno.TcpConn, time.wheel, 0);
  let gone = 0;
  /** It may idle for 500 ms. */
  const idle = () =>
    connection.idle(time.now, 500, { onGone: (which) => gone += which === connection ? 1 : 100 });
  const pass = (ms: number) => time.pass(ms);
  /** Connections that are gone, as far as the keeper was told, and whether this one is closed. */
  const seen = () => [gone, conn.closed, connection.usable];
  return { conn, connection, idle, pass, seen };
}
