import { assertEquals } from "@std/assert";
import { RequestBody } from "../../src/proxy/request_body.ts";
import { TimerWheel } from "../../src/timer_wheel.ts";
import { Connection } from "../../src/upstream/connection.ts";
import { latin1 } from "../support/raw_http.ts";
import { ToldBody } from "../support/told_body.ts";

/** A wheel that tells whether a timer is in it. */
class Watched {
  now = 0;
  ticking = false;
  readonly wheel = new TimerWheel({
    now: () => this.now,
    every: () => {
      this.ticking = true;
      return () => this.ticking = false;
    },
  });

  pass(ms: number): Promise<void> {
    this.now += ms;
    this.wheel.advance();
    return turns();
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await null;
}

/** Takes what it is sent until it is closed. */
class Conn {
  private closed = false;

  write(bytes: Uint8Array): Promise<number> {
    return this.closed ? Promise.reject(new Deno.errors.BadResource()) : Promise.resolve(bytes.length);
  }

  close(): void {
    this.closed = true;
  }
}

Deno.test("a connection that closed within an upload is held by no timer, whatever the client still sends", async () => {
  const watched = new Watched();
  const { wheel } = watched;
  const connection = new Connection(new Conn() as unknown as Deno.TcpConn, wheel, 0);
  const source = new ToldBody(null);
  const body = new RequestBody(source, 1_024, 0, { requestIdKey: "x-request-id" });
  const sending = body.send(connection, latin1("a head"), 30_000, wheel);
  await watched.pass(50);
  assertEquals(watched.ticking, true);
  connection.close();
  source.tell("a piece");
  const failed = await sending.then(() => false, () => true);
  connection.expectHead(30_000);
  await watched.pass(50);
  assertEquals([failed, watched.ticking], [true, false]);
});
