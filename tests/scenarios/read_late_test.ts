// Answers that stand in Weir's memory until their client reads, while memory of others is freed and used again.

import { assertEquals } from "@std/assert";
import { requestText } from "../support/raw_client.ts";
import { reply, type Step } from "../support/raw_origin.ts";
import { header } from "../support/raw_http.ts";
import { scenario } from "../support/scenario.ts";

/** So many that no socket holds them all. */
const ANSWERS = 250;
const BYTES = 60_000;

function filled(n: number): Uint8Array {
  return new Uint8Array(BYTES).fill(n);
}

/** Answers with bytes that only this request gets. */
const asAsked: Step = {
  play: (stage) => reply(200, { body: filled(Number(header(stage.headers, "x-n"))) }).play(stage),
};

scenario(
  "answers that a client reads late are those that the origin gave, whoever is served meanwhile",
  async (props) => {
    const origin = await props.origin(asAsked);
    const weir = await props.loop({ upstreams: origin.url });
    const late = await props.client(weir);
    const numbers = Array.from({ length: ANSWERS }, (_, n) => n);
    await late.send(numbers.map((n) => requestText("GET", "/", [["X-N", String(n)]])).join(""));
    const other = await props.client(weir);
    for (const n of numbers.reverse()) {
      await other.send(requestText("GET", "/", [["X-N", String(n)]]));
      assertEquals((await other.response()).body, filled(n));
    }
    for (const n of numbers.reverse()) assertEquals((await late.response()).body, filled(n), `answer ${n}`);
  },
);
