// How a connection of the wire listener waits for the head of a request: in whatever pieces it comes, and for how long.

import { assertEquals, assertMatch } from "@std/assert";
import { connected, EMPTY, GET } from "../support/wire_stage.ts";

Deno.test("a head is read when its last byte is here, wherever it was cut, and so is the one behind it", async () => {
  for (let cut = 1; cut < GET.length; cut++) {
    const { client, exchanges, over } = connected();
    const long = GET.replace("\r\n\r\n", "\r\nX-Long: long\r\n\r\n");
    await client.says("\r\n" + long.substring(0, cut));
    assertEquals(exchanges.length, 0);
    await client.says(long.substring(cut) + GET);
    await exchanges[0]!.respond(EMPTY, null);
    await over();
    assertEquals(exchanges.map(({ head }) => head.headers.length), [4, 2], `cut at ${cut}`);
  }
});

Deno.test("what has come of a head is searched once, however it drips in", async () => {
  const { client, connection, exchanges } = connected();
  const { inlet } = connection.socket;
  for (const piece of ["GET / HTTP/1.1\r\n", "Host: a.test\r", "\n"]) {
    await client.says(piece);
    assertEquals([exchanges.length, inlet.searched], [0, inlet.available]);
  }
});

Deno.test("a head has its time from its first byte on, the first one from the beginning of its connection", async () => {
  for (const asked of [false, true]) {
    const { client, exchanges, over, shared, time } = connected();
    const seconds = shared.config.headReadMs / 1_000;
    if (asked) {
      await client.says(GET);
      await exchanges[0]!.respond(EMPTY, null);
      await over();
    }
    for (let second = 0; second < seconds; second++) {
      // Neither more of it nor an empty line wins time.
      await client.says(second === 0 && asked ? "GET /" : asked || second > 3 ? "x" : "\r\n");
      await time.pass(1_000);
    }
    const heads = asked ? 1 : 0;
    assertEquals([exchanges.length, client.closed], [heads, false]);
    for (let second = 0; second < 2; second++) await time.pass(1_000);
    assertEquals(exchanges.at(-1)?.unacceptable?.status, 408);
    assertEquals(exchanges.length, heads + 1);
  }
});

Deno.test("a connection whose head has begun makes room for nobody", async () => {
  const { client, table } = connected();
  await client.says("GET");
  assertEquals(table.closeOldestIdle(), false);
  const idle = connected();
  await idle.client.says("\r\n");
  assertEquals([idle.table.closeOldestIdle(), idle.client.closed], [true, true]);
});

Deno.test("a head may have so many bytes, in one piece or in several", async () => {
  for (const headBytesMax of [1_024, 5_000]) {
    for (const [more, status] of [[0, undefined], [1, 431]] as const) {
      for (const cut of [headBytesMax, headBytesMax - 1, 100]) {
        const { client, exchanges } = connected("192.0.2.9", { headBytesMax });
        const pad = headBytesMax - GET.length - "X: \r\n".length + more;
        const head = GET.replace("\r\n\r\n", `\r\nX: ${"p".repeat(pad)}\r\n\r\n`);
        await client.says(head.substring(0, cut));
        await client.says(head.substring(cut));
        assertEquals(exchanges.map(({ unacceptable }) => unacceptable?.status), [status]);
      }
    }
  }
});

Deno.test("of a head that is too large the request line is to blame where it alone is", async () => {
  const pad = "p".repeat(2_000);
  for (
    const [head, status] of [
      [`GET /${pad}`, 414],
      [`GET /${pad} HTTP/1.1\r\nHost: a.test\r\n\r\n`, 414],
      [GET.replace("\r\n\r\n", `\r\nX: ${pad}`), 431],
    ] as const
  ) {
    const { client, exchanges } = connected("192.0.2.9", { headBytesMax: 1_024 });
    await client.says(head);
    assertEquals(exchanges.map(({ unacceptable }) => unacceptable?.status), [status]);
  }
});

Deno.test("what can never become a request is refused at once, and all else is waited for", async () => {
  for (
    const [beginning, status] of [
      ["\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 400],
      ["\r\n\0", 400],
      [" GET", 400],
      ["GET / HTTP/1.1\n", 400],
      ["\rGET / HTTP/1.1\r\n", 400],
      ["SSH-2.0-OpenSSH_9.6\r\n", 400],
      ["GET /\r\n", 400],
      ["GET / HTTP/9.9\r\n", 505],
      ["GET / HTTP/1.1\r\n\tHost: a.test\r\n", 400],
      ["GET / HTTP/1.1\r\nHost : a.test\r\n", 400],
      ["GET / HTTP/1.1\r\nHost: a.test\r\nX: \x01\r\nY: 1\r\nZ", 400],
      ["\r", undefined],
      ["\r\nG", undefined],
      ["~", undefined],
      ["GET /\r", undefined],
      ["GET / HTTP/1.1\r\n", undefined],
      ["GET / HTTP/1.1\r\nHost: a.test\r\nHo st\r", undefined],
    ] as const
  ) {
    for (const cut of [0, beginning.length >> 1, beginning.length - 1]) {
      const { client, exchanges } = connected();
      await client.says(beginning.substring(0, cut));
      await client.says(beginning.substring(cut));
      assertEquals(
        exchanges.map(({ unacceptable }) => unacceptable?.status)[0],
        status,
        JSON.stringify(beginning),
      );
    }
  }
});

Deno.test("a head that is refused unread is told of by its request line, where that can be read", async () => {
  const line = "PUT /x HTTP/1.0\r\n";
  const pad = "p".repeat(2_000);
  for (
    const [beginning, told] of [
      [line + "X : 1\r\n", ["PUT", "/x", "1.0"]],
      [line + "X", ["PUT", "/x", "1.0"]],
      [line + pad, ["PUT", "/x", "1.0"]],
      ["PUT /x HTTP/1.0\r", ["-", "-", "1.1"]],
      ["PUT /x\r\n", ["-", "-", "1.1"]],
      [`PUT /${pad}`, ["-", "-", "1.1"]],
    ] as const
  ) {
    const { client, exchanges, time } = connected("192.0.2.9", { headBytesMax: 1_024 });
    await client.says(beginning);
    for (let second = 0; second < 12; second++) await time.pass(1_000);
    assertEquals(exchanges.map(({ head: { method, target, version } }) => [method, target, version]), [[
      ...told,
    ]]);
  }
});

Deno.test("a head that cannot become a request is answered behind the requests before it", async () => {
  const { client, exchanges, over } = connected();
  await client.says(GET + "GET /\r\n");
  assertEquals(exchanges.map(({ unacceptable }) => unacceptable?.status), [undefined]);
  await exchanges[0]!.respond(EMPTY, null);
  await over();
  assertEquals(exchanges.map(({ unacceptable }) => unacceptable?.status), [undefined, 400]);
});

Deno.test("what is behind a refused head is no request", async () => {
  const { client, exchanges, over } = connected();
  await client.says("GET / HTTP/1.1\nHost: a.test\r\n\r\n" + GET);
  await exchanges[0]!.respond(EMPTY, null);
  await over();
  await client.says(GET);
  assertEquals(exchanges.map(({ unacceptable }) => unacceptable?.status), [400]);
  assertMatch(client.heard, /\r\nConnection: close\r\n\r\n\(end\)$/);
});

Deno.test("a connection that brings empty lines alone is closed without a word", async () => {
  for (const pieces of [["\r\n"], ["\r", "\n"], ["\r\n\r", "\n"]]) {
    const { client, exchanges, time } = connected();
    for (const piece of pieces) await client.says(piece);
    for (let second = 0; second < 12; second++) await time.pass(1_000);
    assertEquals([exchanges.length, client.heard, client.closed], [0, "", true]);
  }
});

Deno.test("a PROXY header may come in any pieces, and has the time of the head behind it", async () => {
  const header = "PROXY TCP4 192.0.2.7 192.0.2.9 5000 80\r\n";
  for (let cut = 1; cut < header.length + GET.length; cut++) {
    const { client, exchanges } = connected("192.0.2.9", { proxyProtocol: true });
    await client.says((header + GET).substring(0, cut));
    assertEquals(exchanges.length, 0);
    await client.says((header + GET).substring(cut));
    assertEquals(exchanges.map(({ peer }) => peer.hostname), ["192.0.2.7"], `cut at ${cut}`);
  }
  for (const beginning of [header.substring(0, 9), header]) {
    const { client, exchanges, time } = connected("192.0.2.9", { proxyProtocol: true });
    await client.says(beginning);
    for (let second = 0; second < 12; second++) await time.pass(1_000);
    assertEquals([client.closed, client.heard, exchanges.length], [true, "", 0]);
  }
});
