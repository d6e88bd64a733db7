import { assertEquals } from "@std/assert";
import { Authority } from "../support/certificates.ts";
import { latin1 } from "../support/raw_http.ts";
import { Outlet } from "../../src/upstream/outlet.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";

/** A connection that takes as many bytes of a write as the test says, when it says. */
class Narrow {
  readonly writes: { readonly bytes: Uint8Array; readonly take: (count: number) => void }[] = [];

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((take) => this.writes.push({ bytes, take }));
  }
}

function posted(text: string) {
  const conn = new Narrow();
  const owner = { timedOutIn: null, onDeadline: () => {} };
  const outlet = new Outlet(conn as unknown as Deno.TcpConn, new StillTime().wheel, owner);
  outlet.begin();
  outlet.post(latin1(text));
  return { conn, outlet };
}

Deno.test("an Outlet has sent nothing before something is sent", () => {
  const { wheel } = new StillTime();
  const outlet = new Outlet({} as Deno.TcpConn, wheel, { timedOutIn: null, onDeadline: () => {} });
  assertEquals([outlet.begun, outlet.done, outlet.bytes], [false, false, 0]);
});

Deno.test("a head that is taken whole is sent", async () => {
  const { conn, outlet } = posted("a head");
  assertEquals(outlet.done, false);
  conn.writes[0]!.take(6);
  await settled();
  assertEquals([outlet.done, outlet.bytes], [true, 6]);
});

Deno.test("a head that is taken in pieces is not sent before its last piece", async () => {
  const { conn, outlet } = posted("a head");
  conn.writes[0]!.take(2);
  await settled();
  assertEquals([outlet.done, outlet.bytes], [false, 2]);
  conn.writes[1]!.take(4);
  await settled();
  assertEquals([outlet.done, outlet.bytes], [true, 6]);
});

Deno.test("a head that is sent on a connection that has sent another is not sent before it is taken", async () => {
  const { conn, outlet } = posted("a head");
  conn.writes[0]!.take(6);
  await settled();
  outlet.begin();
  assertEquals(outlet.done, false);
  outlet.post(latin1("another"));
  conn.writes[1]!.take(7);
  await settled();
  assertEquals([outlet.done, outlet.bytes], [true, 13]);
});

Deno.test("Outlet has begun as soon as anything may have gone out, and not when another request is to be sent", async () => {
  for (const send of ["post", "write"] as const) {
    const { conn, outlet } = posted("a head");
    conn.writes[0]!.take(6);
    await settled();
    outlet.begin();
    assertEquals(outlet.begun, false);
    const sending = outlet[send](latin1("x"));
    assertEquals(outlet.begun, true);
    conn.writes[1]!.take(1);
    await sending;
  }
});

/** A connection, and the other end of it. */
async function pairOf(tls: boolean): Promise<readonly [Deno.Conn, Deno.Conn]> {
  const hostname = "127.0.0.1";
  if (!tls) {
    using listener = Deno.listen({ hostname, port: 0 });
    return await Promise.all([Deno.connect({ hostname, port: listener.addr.port }), listener.accept()]);
  }
  await using authority = await Authority.create();
  using listener = Deno.listenTls({ hostname, port: 0, ...await authority.issue() });
  const connecting = Deno.connectTls({ hostname, port: listener.addr.port, caCerts: [authority.cert] });
  const pair = await Promise.all([connecting, listener.accept()]);
  await Promise.all(pair.map((conn) => conn.handshake()));
  return pair;
}

for (const tls of [false, true]) {
  // `Connection` takes what comes in before that for no answer.
  Deno.test(`a head that the system takes at once is told of before the loop turns (${tls ? "TLS" : "TCP"})`, async () => {
    const [conn, far] = await pairOf(tls);
    const { wheel } = new StillTime();
    const outlet = new Outlet(conn as Deno.TcpConn, wheel, { timedOutIn: null, onDeadline: () => {} });
    const seen: number[] = [];
    for (let n = 1; n <= 20; n++) {
      outlet.post(latin1("a head"));
      await settled();
      seen.push(outlet.bytes);
    }
    assertEquals(seen, seen.map((_, n) => (n + 1) * 6));
    conn.close();
    far.close();
  });
}

Deno.test("Outlet.write() goes on until all is taken, and counts what is as it is", async () => {
  const { conn, outlet } = posted("");
  const writing = outlet.write(latin1("a body"));
  const counted: number[] = [];
  for (const count of [1, 2, 3]) {
    conn.writes.at(-1)!.take(count);
    await settled();
    counted.push(outlet.bytes);
  }
  await writing;
  assertEquals([conn.writes.slice(1).map(({ bytes }) => bytes.length), counted], [[6, 5, 3], [1, 3, 6]]);
});
