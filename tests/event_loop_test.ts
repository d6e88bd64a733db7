// What one event loop says of its ports.

import { assertEquals } from "@std/assert";
import type { Question } from "../src/messages.ts";
import { freePort } from "./support/free_port.ts";
import { startLoop } from "./support/loop.ts";
import { ask } from "./support/raw_client.ts";
import { until } from "./support/until.ts";

Deno.test("EventLoop tells why it does not listen on redirectPort once for each reason, and again after it did", async () => {
  const redirectPort = freePort();
  const { listen } = Deno;
  const troubles = ["taken", "taken", "no room", "no room"];
  let listener: Deno.TcpListener | undefined;
  Deno.listen = ((place: Deno.TcpListenOptions) => {
    if (place.port !== redirectPort) return listen(place);
    const trouble = troubles.shift();
    if (trouble !== undefined) throw new Error(trouble);
    return listener = listen(place);
  }) as typeof Deno.listen;
  try {
    const tls = { certFile: "c", keyFile: "k", redirectPort };
    await using loop = await startLoop({ listener: "wire", config: { listen: { tls } } });
    const redirects = async () => {
      await until("it listens", () => listener !== undefined);
      assertEquals((await ask(`http://127.0.0.1:${redirectPort}`)).status, 308);
    };
    const told = (...reasons: string[]) =>
      assertEquals(
        loop.bugs,
        reasons.map((reason) => `does not listen on redirectPort ${redirectPort}: ${reason}`),
      );
    await redirects();
    told("taken", "no room");

    troubles.push("no room", "no room");
    const ended = listener!;
    listener = undefined;
    ended.close();
    await redirects();
    told("taken", "no room", "Listener has been closed", "no room");
  } finally {
    Deno.listen = listen;
  }
});

Deno.test("EventLoop lives on where a question of an operator goes wrong", async () => {
  await using loop = await startLoop({});
  loop.send({ kind: "ask", id: 1, question: null as unknown as Question });
  assertEquals(loop.bugs.length, 1);
  assertEquals((await ask(loop.url)).status, 404);
});
