// Reading as Deno's own library does, beside `Deno.Conn.read`: the same bytes, the same end, the same errors.

import { assertEquals, assertRejects } from "@std/assert";
import { readSome } from "../../src/http1/read_some.ts";

/** Both ends of a connection. */
async function connected(): Promise<AsyncDisposable & { near: Deno.TcpConn; far: Deno.TcpConn }> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const [near, far] = await Promise.all([Deno.connect({ hostname: "127.0.0.1", port }), listener.accept()]);
  return { near, far, [Symbol.asyncDispose]: () => Promise.resolve(close(near, far)) };
}

function close(...conns: readonly Deno.Conn[]): void {
  for (const conn of conns) {
    try {
      conn.close();
    } catch {
      // The test has closed it.
    }
  }
}

/** `conn`, and a note of each call of the method that reading by it would be. */
function watched(conn: Deno.TcpConn): { conn: Deno.TcpConn; calls: () => number } {
  let calls = 0;
  const { read } = conn;
  conn.read = (into) => {
    calls++;
    return read.call(conn, into);
  };
  return { conn, calls: () => calls };
}

Deno.test("this Deno is read from without its method: a new one that has it no more is noticed here", async () => {
  await using ends = await connected();
  const { conn, calls } = watched(ends.far);
  await ends.near.write(new Uint8Array([7, 8]));
  const into = new Uint8Array(4);
  assertEquals(await readSome(conn, into), 2);
  assertEquals([...into], [7, 8, 0, 0]);
  assertEquals(calls(), 0);
});

Deno.test("the end of what the peer sends is 0, however often it is asked for", async () => {
  await using ends = await connected();
  await ends.near.write(new Uint8Array([1]));
  await ends.near.closeWrite();
  const into = new Uint8Array(4);
  assertEquals(await readSome(ends.far, into), 1);
  assertEquals(await readSome(ends.far, into), 0);
  assertEquals(await readSome(ends.far, into), 0);
});

Deno.test("a connection that is closed under a read, or before it, rejects it as the method does", async () => {
  await using ends = await connected();
  const into = new Uint8Array(4);
  const reads = [readSome(ends.far, into), ends.near.read(into)];
  close(ends.far, ends.near);
  for (const reading of reads) await assertRejects(() => reading, Deno.errors.Interrupted);
  await assertRejects(() => readSome(ends.far, into), Deno.errors.BadResource);
  await assertRejects(() => ends.near.read(into), Deno.errors.BadResource);
});

Deno.test("what is no connection of Deno's is read by its method", async () => {
  const answers = [3, null];
  const conn = { read: () => Promise.resolve(answers.shift()!) };
  assertEquals(await readSome(conn, new Uint8Array(4)), 3);
  assertEquals(await readSome(conn, new Uint8Array(4)), 0);
});
