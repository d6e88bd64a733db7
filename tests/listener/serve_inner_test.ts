import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { InnerServe } from "../../src/listener/serve_inner.ts";
import { listenOptions } from "../support/listen_options.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";
import { until } from "../support/until.ts";

/** One whose accept loops end when the test says so, on a clock that only the test moves. */
function stage() {
  const time = new StillTime();
  const ports: number[] = [];
  let end = (_error: Error) => {};
  const real = Deno.serve;
  Deno.serve = ((options: Deno.ServeTcpOptions, handler: Deno.ServeHandler) => {
    const server = real(options, handler);
    ports.push((server.addr as Deno.NetAddr).port);
    const ended = new Promise<void>((_resolve, reject) => end = reject);
    return Object.defineProperty(server, "finished", { value: Promise.race([server.finished, ended]) });
  }) as typeof Deno.serve;
  return {
    inner: new InnerServe(listenOptions("serve", { wheel: time.wheel }), () => null, () => 0),
    time,
    /** Those that it has listened on, in order. */
    ports,
    async endLoop(): Promise<void> {
      end(new Error("no descriptors"));
      await settled();
    },
    [Symbol.dispose]: () => void (Deno.serve = real),
  };
}

Deno.test("an InnerServe tells the passages that it has when it closes their connections", async () => {
  const inner = new InnerServe(listenOptions("serve"), () => null, () => 0);
  const { conn, closes, release } = await inner.connect();
  assertEquals(closes(), false);
  inner.drain();
  await until("it closes", closes);
  conn.close();
  release();
});

Deno.test("an InnerServe that has no passages any more accepts none once it has drained", async () => {
  const inner = new InnerServe(listenOptions("serve"), () => null, () => 0);
  const { conn, release } = await inner.connect();
  const { hostname, port } = conn.remoteAddr;
  conn.close();
  release();
  inner.drain();
  const refused = () =>
    Deno.connect({ hostname, port }).then((conn) => {
      conn.close();
      return false;
    }, () => true);
  await until("nobody is accepted", refused);
});

Deno.test("a passage that comes when an accept loop has ended waits for another one", async () => {
  using props = stage();
  const { inner, time, ports } = props;
  const before = await inner.connect();
  await props.endLoop();
  assertEquals(ports.length, 1);
  const coming = inner.connect();
  await until("it waits", () => inner.room !== undefined && time.ticking);
  await time.run(100);
  const after = await coming;
  assertEquals([before, after].map(({ conn }) => conn.remoteAddr.port), ports);
  assertNotEquals(ports[0], ports[1]);
  // Whoever has connections is asked to end them, whether it still accepts or not.
  inner.drain();
  await until("both close", () => before.closes() && after.closes());
  for (const { conn, release } of [before, after]) {
    conn.close();
    release();
  }
});

for (const ends of ["drain", "abort"] as const) {
  Deno.test(`an InnerServe opens no other one after ${ends}(), and lets no passage wait`, async () => {
    using props = stage();
    const { inner, time, ports } = props;
    await props.endLoop();
    inner[ends]();
    await assertRejects(() => inner.connect());
    await time.run(100);
    assertEquals([ports.length, inner.room], [1, undefined]);
  });
}
