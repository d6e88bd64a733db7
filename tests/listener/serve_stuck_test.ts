import { assertEquals } from "@std/assert";
import { collectedAnswer } from "../../src/listener/serve_collect.ts";
import { responseStream } from "../../src/listener/serve_stream.ts";
import { STUCK_MAX, StuckReads } from "../../src/listener/serve_stuck.ts";
import { serveBody } from "../support/serve_body.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";
import { ToldBody } from "../support/told_body.ts";

/** An upload whose client sends when the test says so, and the reads that are left behind. */
function stage(options: { readonly http2?: boolean } = {}) {
  let told = 0;
  const stuck = new StuckReads(() => told++);
  for (let i = 1; i < STUCK_MAX; i++) stuck.begin();
  let client!: ReadableStreamDefaultController<Uint8Array>;
  const stream = new ReadableStream<Uint8Array>({ start: (controller) => void (client = controller) });
  return { client, upload: serveBody(stream, 100_000, { stuck, ...options }), stuck, told: () => told };
}

Deno.test("StuckReads tells of each that is too many, and forgets those that have ended", () => {
  const { stuck, told } = stage();
  assertEquals(told(), 0);
  const ends = [stuck.begin(), stuck.begin()];
  assertEquals(told(), 2);
  for (const end of ends) end();
  stuck.begin();
  assertEquals(told(), 3);
});

for (const begins of ["read", "cancel"] as const) {
  Deno.test(`an upload whose client leaves is stuck after ${begins}() until its read ends`, async () => {
    const { client, upload, stuck, told } = stage();
    const reading = upload[begins]();
    await settled();
    upload.leaveBehind();
    upload.leaveBehind();
    assertEquals(told(), 1);
    if (begins === "read") client.enqueue(new Uint8Array(1));
    else client.close();
    await reading;
    await settled();
    stuck.begin();
    assertEquals(told(), 2, "the last that may be");
  });
}

Deno.test("an upload is not stuck without a read, nor over HTTP/2", () => {
  const [idle, http2] = [stage(), stage({ http2: true })];
  http2.upload.read();
  for (const { upload, told } of [idle, http2]) {
    upload.leaveBehind();
    assertEquals(told(), 0);
  }
});

Deno.test("whoever cancels a stream, or what was put together too slowly, leaves an upload behind", async () => {
  const streamed = stage();
  streamed.upload.read();
  await responseStream(new ToldBody(null), streamed.upload, () => {}).cancel();
  const collected = stage();
  collected.upload.read();
  const time = new StillTime();
  const sent: BodyInit[] = [];
  collectedAnswer(new ToldBody(12), collected.upload, time.wheel, (content) => sent.push(content));
  await time.pass(20);
  await (sent[0] as ReadableStream).cancel();
  assertEquals([streamed.told(), collected.told()], [1, 1]);
});
