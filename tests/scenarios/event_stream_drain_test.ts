// Streams of events while Weir leaves: each ends between two events, cleanly, one after the other, so that its
// client comes back elsewhere and asks for what it has not seen.

import { assertEquals } from "@std/assert";
import { ask, type RawClient, requestText } from "../support/raw_client.ts";
import { chunk, Gate, hang, head, reply, replyRaw, scene, wait } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

const stream = head(200, [["Content-Type", "text/event-stream"], ["Transfer-Encoding", "chunked"]]);

/** Reads on until what has come, chunk lines included, has `text` in it. */
async function reads(client: RawClient, text: string): Promise<void> {
  let come = "";
  while (!come.includes(text)) {
    const bytes = await client.some();
    if (bytes === null) throw new Error(`ended after ${JSON.stringify(come)}`);
    come += new TextDecoder().decode(bytes);
  }
}

const END = "\r\n0\r\n\r\n";
const BOTH = { listeners: ["serve", "wire"] } as const;

scenario("a drain ends event streams cleanly between two events, spread over its window", async (props) => {
  const gate = new Gate();
  const half = scene(
    stream,
    replyRaw(chunk("data: 1\n\nda")),
    wait(gate),
    replyRaw(chunk("ta: 2\n\n")),
    hang(),
  );
  const origin = await props.origin([half, scene(stream, replyRaw(chunk("data: 1\n\n")), hang())]);
  const weir = await props.loop({ upstreams: origin.url });
  const [first, second] = [await props.client(weir), await props.client(weir)];
  for (const [n, client] of [first, second].entries()) {
    await client.send(requestText("GET", "/events"));
    await client.head();
    await origin.request(n + 1);
    await reads(client, n === 0 ? "\n\nda" : "data: 1\n\n");
  }
  weir.send({ kind: "drain", deadlineMs: 4_000 });
  // The second one ends first: the first is in the middle of an event.
  await reads(second, "0\r\n\r\n");
  gate.open();
  await reads(first, "ta: 2\n\n" + END);
  await until("both are logged", () => weir.log.length === 2);
  for (const line of weir.log) {
    const { end, close, cause } = JSON.parse(line);
    assertEquals([end, close, cause], ["complete", { code: null, by: "weir" }, undefined]);
  }
  assertEquals(weir.endpointTotal(origin.url, "gatewayFailures"), 0);
}, BOTH);

scenario("an event that does not end keeps Weir no longer open for others than the window", async (props) => {
  const gate = new Gate();
  const half = scene(stream, replyRaw(chunk("da")), wait(gate), replyRaw(chunk("ta: 1\n\n")), hang());
  const origin = await props.origin([half, reply(200)]);
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/events"));
  await client.head();
  await reads(client, "da");
  weir.send({ kind: "drain", deadlineMs: 4_000 });
  await until("nobody is let in", () => ask(weir.url).then(() => false, () => true));
  gate.open();
  await reads(client, "ta: 1\n\n" + END);
}, BOTH);

for (
  const [what, method, type] of [
    ["text", "GET", "text/plain"],
    ["events in answer to a POST", "POST", "text/event-stream"],
  ] as const
) {
  scenario(`a stream of ${what} is not ended early`, async (props) => {
    const gate = new Gate();
    const begin = head(200, [["Content-Type", type], ["Transfer-Encoding", "chunked"]]);
    const origin = await props.origin(
      scene(begin, replyRaw(chunk("one\n\n")), wait(gate), replyRaw(chunk("two\n\n") + "0\r\n\r\n")),
    );
    const weir = await props.loop({ upstreams: origin.url });
    const client = await props.client(weir);
    await client.send(requestText(method, "/"));
    await origin.request(1);
    weir.send({ kind: "drain", deadlineMs: 4_000 });
    gate.open();
    const answer = await client.response();
    assertEquals([answer.text, answer.ended], ["one\n\ntwo\n\n", "clean"]);
    await until("it is logged", () => weir.log.length === 1);
    assertEquals(JSON.parse(weir.log[0]!).close, undefined);
  }, BOTH);
}
