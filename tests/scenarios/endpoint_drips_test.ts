import { assertEquals } from "@std/assert";
import { requestText } from "../support/raw_client.ts";
import { drip, Gate, head, scene } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";

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
