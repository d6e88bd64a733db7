// An origin may answer before it has the whole request, and a client may ask before it sends its body.

import { assertEquals, assertNotEquals } from "@std/assert";
import { requestText } from "../support/raw_client.ts";
import { afterHead, close, interim, readBody, reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";

scenario("an early answer reaches the client while its upload is still going on", async (props) => {
  const origin = await props.origin(afterHead(reply(413, { body: "too much" }), close()));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000\r\n\r\nsome");
  const answer = await client.response();
  assertEquals([answer.status, answer.text, answer.ended], [413, "too much", "clean"]);
});

scenario("a body goes on to the origin as it comes, not when it is whole", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 8\r\n\r\nhalf");
  const request = await origin.request(1);
  await client.send("half");
  assertEquals([(await client.response()).status, await request.text()], [200, "halfhalf"]);
});

scenario("a client that expects 100-continue gets it, and then its answer", async (props) => {
  const origin = await props.origin(afterHead(interim(100), readBody(), reply(201)));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  assertEquals((await client.response()).status, 100);
  await client.send("body");
  assertEquals((await client.response()).status, 201);
  assertEquals(await (await origin.request(1)).text(), "body");
});

scenario("interim answers never stand for the final one", async (props) => {
  const hints = interim(103, [["Link", "</style.css>; rel=preload"]]);
  const origin = await props.origin(afterHead(hints, interim(102), reply(200, { body: "final" })));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/"));
  let answer = await client.response();
  while (answer.status < 200) {
    assertNotEquals(answer.status, 101);
    answer = await client.response();
  }
  assertEquals([answer.status, answer.text, answer.header("link")], [200, "final", undefined]);
});
