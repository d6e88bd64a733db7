// A connection of the wire listener on a scripted socket: what comes when, the test decides.

import { assertEquals, assertMatch } from "@std/assert";
import { listenSchema } from "../../src/config/schema.ts";
import type { Exchange } from "../../src/exchange.ts";
import { WireConnection } from "../../src/listener/wire_connection.ts";
import { WireHouse } from "../../src/listener/wire_house.ts";
import { WireTable } from "../../src/listener/wire_table.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";

/** A client: each read waits for what it says next. */
class Client {
  readonly remoteAddr = { transport: "tcp", hostname: "192.0.2.1", port: 5_000 };
  heard = "";
  #reading: ((piece: string) => void) | null = null;

  async says(piece: string): Promise<void> {
    this.#reading!(piece);
    await settled();
  }

  async read(into: Uint8Array): Promise<number> {
    const piece = await new Promise<string>((resolve) => this.#reading = resolve);
    return new TextEncoder().encodeInto(piece, into).written;
  }

  write(bytes: Uint8Array): Promise<number> {
    this.heard += new TextDecoder().decode(bytes);
    return Promise.resolve(bytes.length);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  setNoDelay(): void {}
  close(): void {}
}

/** A client's connection with an upload of eight bytes, of which four have come. */
async function halfAnUpload() {
  const config = listenSchema.parse({});
  const table = new WireTable(config, new StillTime().wheel, () => 0, () => {});
  const exchanges: Exchange[] = [];
  const answered = Promise.withResolvers<void>();
  const handle = (exchange: Exchange) => {
    exchanges.push(exchange);
    return answered.promise;
  };
  const client = new Client();
  const house = new WireHouse(config, "http", table, handle, () => false, () => 0);
  const connection = new WireConnection(client as unknown as Deno.TcpConn, house);
  await client.says("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 8\r\n\r\nhalf");
  const exchange = exchanges[0]!;
  return { client, connection, body: exchange.body!, exchange };
}

const text = (bytes: Uint8Array | null) => bytes === null ? null : new TextDecoder().decode(bytes);
const answer = { status: 200, reason: "OK", headers: ["Content-Length", "0"] };

Deno.test("an early answer passes over nothing of an upload that is still being sent on", async () => {
  const { client, connection, body, exchange } = await halfAnUpload();
  assertEquals(text(await body.read()), "half");
  // The sweep watches behind a body of which nobody asks for more at the moment.
  connection.checkDeadlines(0);
  await client.says("rest");
  await exchange.respond(answer, null);
  assertMatch(client.heard, /\r\nConnection: close\r\n/);
  assertEquals([text(await body.read()), await body.read()], ["rest", null]);
});

Deno.test("an answer passes over an upload that was given up and is all here", async () => {
  const { client, connection, body, exchange } = await halfAnUpload();
  connection.checkDeadlines(0);
  await client.says("rest");
  body.cancel();
  await exchange.respond(answer, null);
  assertEquals(client.heard.includes("Connection: close"), false);
});
