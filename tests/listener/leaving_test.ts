// A listener with TLS while it leaves, with real clients and a clock that only the test moves.

import { assertEquals, assertRejects } from "@std/assert";
import { openListener } from "../../src/listener/listening.ts";
import { Authority } from "../support/certificates.ts";
import { listenOptions } from "../support/listen_options.ts";
import { StillTime } from "../support/still_time.ts";
import { TlsClient } from "../support/tls_client.ts";
import { ToldBody } from "../support/told_body.ts";
import { needs } from "../support/tools.ts";
import { until } from "../support/until.ts";

const GET = "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n";

/** A listener that answers `/slow` as the test tells, and everything else at once. */
async function standing(name: "serve" | "wire") {
  const authority = await Authority.create();
  const time = new StillTime();
  const slow = new ToldBody(null);
  const ports: number[] = [];
  const listener = openListener(listenOptions(name, {
    certificate: { ...await authority.issue(), fingerprint: "" },
    wheel: time.wheel,
    handle: async (exchange) => {
      ports.push(exchange.peer.port);
      const body = exchange.head.target === "/slow" ? slow : null;
      await exchange.respond({ status: body === null ? 204 : 200, reason: "", headers: [] }, body);
    },
  }));
  let drained = false;
  return {
    slow,
    /** The clients that asked, in order, by their ports. */
    ports,
    client: () => TlsClient.connect(`https://127.0.0.1:${listener.port}`, authority.cert),
    passTo(...times: number[]): void {
      for (const ms of times) time.pass(ms - time.now);
    },
    drain: (): Promise<void> => listener.drain().then(() => void (drained = true)),
    drained: () => drained,
    [Symbol.asyncDispose]: () => authority[Symbol.asyncDispose](),
  };
}

for (const name of ["serve", "wire"] as const) {
  Deno.test({
    name: `drain() lets who has asked before ask once more, for a second (${name})`,
    ...needs("openssl"),
    async fn() {
      await using stage = await standing(name);
      await using asks = await stage.client();
      await using rests = await stage.client();
      for (const client of [asks, rests]) {
        client.send(GET);
        await client.until("204");
      }
      await using inTheMiddle = await stage.client();
      stage.slow.tell("begun");
      inTheMiddle.send(GET.replace("/", "/slow"));
      await until("its answer has begun", () => stage.ports.length === 3);
      stage.passTo(20);
      await inTheMiddle.until("begun");
      const drain = stage.drain();
      stage.passTo(150, 200);
      await assertRejects(() => stage.client(), Error, "ECONNREFUSED");
      stage.slow.tell(", done", null);
      await inTheMiddle.until(/, done\r\n0\r\n[^]*\r\n$/);
      for (const client of [inTheMiddle, asks]) {
        client.send(GET);
        await client.until(/connection: close/i);
      }
      assertEquals(stage.ports.slice(3), [inTheMiddle.port, asks.port]);
      assertEquals(stage.drained(), false);
      stage.passTo(2_400, 4_800);
      for (const client of [rests, asks, inTheMiddle]) await client.ended;
      await until("nothing is left", stage.drained);
      await drain;
    },
  });

  Deno.test({
    name: `drain() lets who has just come ask, for a second (${name})`,
    ...needs("openssl"),
    async fn() {
      await using stage = await standing(name);
      await using before = await stage.client();
      await using silent = await stage.client();
      const drain = stage.drain();
      // Whoever waits in the system's queue is let in before it closes.
      await using late = await stage.client();
      stage.passTo(150, 200);
      await assertRejects(() => stage.client(), Error, "ECONNREFUSED");
      for (const client of [before, late]) {
        client.send(GET);
        await client.until(/204[^]*connection: close/i);
      }
      stage.passTo(2_400, 4_800);
      for (const client of [silent, before, late]) await client.ended;
      await until("nothing is left", stage.drained);
      await drain;
      assertEquals(stage.ports, [before.port, late.port]);
    },
  });

  Deno.test({
    name: `drain() waits for an answer that takes longer than that second (${name})`,
    ...needs("openssl"),
    async fn() {
      await using stage = await standing(name);
      await using client = await stage.client();
      stage.slow.tell("begun");
      client.send(GET.replace("/", "/slow"));
      await until("its answer has begun", () => stage.ports.length === 1);
      stage.passTo(20);
      await client.until("begun");
      const drain = stage.drain();
      stage.passTo(150, 200);
      await assertRejects(() => stage.client(), Error, "ECONNREFUSED");
      stage.passTo(2_400);
      assertEquals(stage.drained(), false);
      stage.slow.tell(", done", null);
      await client.until(/, done\r\n0\r\n[^]*\r\n$/);
      stage.passTo(4_800);
      await client.ended;
      await drain;
    },
  });

  Deno.test({
    name: `drain() ends at once where nobody is (${name})`,
    ...needs("openssl"),
    async fn() {
      await using stage = await standing(name);
      const drain = stage.drain();
      stage.passTo(150, 200);
      await until("nothing is left", stage.drained);
      await drain;
    },
  });
}
