// What ends an endpoint's failures in a row, which ejection goes by: an answer that was whole, not its head.

import { assertEquals } from "@std/assert";
import { Verdicts } from "../../src/board/verdicts.ts";
import type { RunningLoop } from "../support/loop.ts";
import { RawClient, requestText } from "../support/raw_client.ts";
import {
  afterHead,
  chunk,
  close,
  Gate,
  hang,
  head,
  reply,
  replyRaw,
  scene,
  wait,
} from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

const events = head(200, [["Content-Type", "text/event-stream"], ["Transfer-Encoding", "chunked"]]);
const half = scene(head(200, [["Content-Length", "100"]]), replyRaw("half"));

/** Asks `n` times, to the end of each answer. */
async function ask(loop: RunningLoop, n: number): Promise<void> {
  const logged = loop.log.length + n;
  for (let i = 0; i < n; i++) {
    await using client = await RawClient.connect(loop.url);
    await client.send(requestText("GET", "/", [["Connection", "close"]]));
    await client.untilClosed();
  }
  await until("they are logged", () => loop.log.length === logged);
}

function failuresInARow(loop: RunningLoop): number {
  return new Verdicts(loop.board).consecutiveFailures(0);
}

scenario("answers that all break off are failures in a row", async (props) => {
  const cut = scene(half, close());
  const origin = await props.origin([cut, cut, cut, reply(200), cut]);
  const weir = await props.loop({ upstreams: origin.url });
  for (const [requests, failures] of [[3, 3], [1, 0], [1, 1]] as const) {
    await ask(weir, requests);
    assertEquals(failuresInARow(weir), failures);
  }
});

scenario("a status that counts as a failure counts once, whole or cut", async (props) => {
  const cut = scene(head(503, [["Content-Length", "100"]]), replyRaw("half"), close());
  const origin = await props.origin([reply(503), cut]);
  const weir = await props.loop({
    config: { upstreams: { default: { endpoints: [origin.url], retry: { attemptsMax: 1 } } } },
  });
  await ask(weir, 2);
  assertEquals([failuresInARow(weir), weir.endpointTotal(origin.url, "gatewayFailures")], [2, 2]);
});

scenario("an answer that the client leaves ends the failures before it", async (props) => {
  const origin = await props.origin([scene(half, close()), scene(half, hang())]);
  const weir = await props.loop({ upstreams: origin.url });
  await ask(weir, 1);
  const client = await props.client(weir);
  await client.send(requestText("GET", "/"));
  await client.head();
  assertEquals(failuresInARow(weir), 1);
  await client.reset();
  await until("it is logged", () => weir.log.length === 2);
  assertEquals(failuresInARow(weir), 0);
});

scenario("a stream of events ends the failures before it as it begins", async (props) => {
  const gate = new Gate();
  const stream = scene(events, replyRaw(chunk("data: 1\n\n")), wait(gate), replyRaw("0\r\n\r\n"));
  const origin = await props.origin([scene(half, close()), stream]);
  const weir = await props.loop({ upstreams: origin.url });
  await ask(weir, 1);
  const client = await props.client(weir);
  await client.send(requestText("GET", "/"));
  await client.head();
  assertEquals(failuresInARow(weir), 0);
  gate.open();
});

scenario(
  "an answer that is cut because its request breaks off is no failure of its endpoint",
  async (props) => {
    const early = scene(head(200, [["Transfer-Encoding", "chunked"]]), replyRaw(chunk("early")));
    const origin = await props.origin(afterHead(early, hang()));
    const weir = await props.loop({ upstreams: origin.url });
    const client = await props.client(weir);
    await client.send("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n");
    await client.send(chunk("abc"));
    await client.head();
    await client.send("no chunk\r\n");
    await until("it is logged", () => weir.log.length === 1);
    const { end, cause } = JSON.parse(weir.log[0]!);
    assertEquals([end, cause], ["truncated", "http_request_error"]);
    assertEquals([failuresInARow(weir), weir.endpointTotal(origin.url, "resets")], [0, 0]);
  },
);
