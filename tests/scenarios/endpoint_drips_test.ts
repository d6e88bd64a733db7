import { assertEquals } from "@std/assert";
import { WorkerField } from "../../src/board/fields.ts";
import { requestText } from "../support/raw_client.ts";
import { drip, Gate, hang, head, replyRaw, scene } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

scenario("each piece of a slow answer reaches the client as it comes", async (props) => {
  const gate = new Gate();
  const pieces = ["one", "two", "six"];
  const origin = await props.origin(scene(head(200, [["Content-Length", "9"]]), drip(pieces, gate)));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/"));
  await client.head();
  for (const piece of pieces) {
    gate.open(1);
    assertEquals(new TextDecoder().decode(await client.read(3)), piece);
  }
});

scenario("a head that comes byte by byte is one head", async (props) => {
  const gate = new Gate();
  const text =
    "HTTP/1.1 200 OK\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\nfour\r\n0\r\nX-T: 1\r\n\r\n";
  const origin = await props.origin(drip([...text], gate));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/"));
  gate.open();
  const answer = await client.response();
  assertEquals([answer.header("x-a"), answer.text, answer.ended], ["1", "four", "clean"]);
});

scenario("an answer that requestMs cuts within its body counts, but against no endpoint", async (props) => {
  const origin = await props.origin(scene(head(200, [["Content-Length", "9"]]), replyRaw("half"), hang()));
  const upstream = { endpoints: [origin.url], timeouts: { requestMs: 500 } };
  const loop = await props.loop({ config: { upstreams: { default: upstream } } });
  const client = await props.client(loop);
  await client.send(requestText("GET", "/"));
  assertEquals((await client.response()).ended, "cut");
  await until("it is logged", () => loop.log.length === 1);
  assertEquals(JSON.parse(loop.log[0]!).end, "truncated");
  assertEquals(loop.totals.worker(WorkerField.truncated), 1);
  for (const field of ["resets", "timeouts", "malformed"] as const) {
    assertEquals(loop.endpointTotal(origin.url, field), 0, field);
  }
});
