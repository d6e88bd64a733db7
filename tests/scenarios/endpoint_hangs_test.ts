import { assert, assertEquals } from "@std/assert";
import { ask } from "../support/raw_client.ts";
import { hang, reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";

const config = (...urls: string[]) => ({
  upstreams: {
    default: { endpoints: urls, timeouts: { responseHeadMs: 500 } },
  },
});

scenario("a GET leaves an endpoint that accepts and never answers", async (props) => {
  const good = await props.origin(reply(200, { body: "good" }));
  const silent = await props.origin(hang());
  const weir = await props.loop({ config: config(good.url, silent.url) });
  for (let n = 0; n < 2; n++) assertEquals((await ask(weir.url)).text, "good");
  assertEquals([silent.requests.length, good.requests.length], [1, 2]);
  assertEquals([weir.endpointTotal(silent.url, "timeouts"), weir.upstreamTotal("retryTimeout")], [1, 1]);
});

scenario("a POST to an endpoint that never answers is a 504, and is sent nowhere else", async (props) => {
  const silent = [await props.origin(hang()), await props.origin(hang())];
  const weir = await props.loop({ config: config(...silent.map(({ url }) => url)) });
  const answer = await ask(weir.url, { method: "POST", body: "x" });
  assertEquals(answer.status, 504);
  assert(/http_response_timeout/.test(answer.header("proxy-status") ?? ""), answer.head.text);
  assertEquals(silent.flatMap(({ requests }) => requests).length, 1);
});
