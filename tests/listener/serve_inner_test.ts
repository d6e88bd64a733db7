import { assertEquals } from "@std/assert";
import { InnerServe } from "../../src/listener/serve_inner.ts";
import { listenOptions } from "../support/listen_options.ts";
import { until } from "../support/until.ts";

Deno.test("an InnerServe tells the passages that it has when it closes their connections", async () => {
  const inner = new InnerServe(listenOptions("serve"), () => null, () => 0);
  const { conn, closes, release } = await inner.connect();
  assertEquals(closes(), false);
  inner.drain();
  await until("it closes", closes);
  conn.close();
  release();
});
