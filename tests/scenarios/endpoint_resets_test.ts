import { assertEquals } from "@std/assert";
import { ask } from "../support/raw_client.ts";
import { reply, replyRaw, reset, scene, type Step } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";

const resets: Record<string, Step> = {
  "before its answer": reset(),
  "within the head of its answer": scene(replyRaw("HTTP/1.1 200 OK\r\nX-A"), reset()),
};

for (const [when, step] of Object.entries(resets)) {
  scenario(`a GET moves on from an endpoint that resets ${when}, a POST does not`, async (props) => {
    const good = await props.origin(reply(200, { body: "good" }));
    const bad = await props.origin(step);
    const weir = await props.loop({ upstreams: [good.url, bad.url] });
    for (let n = 0; n < 2; n++) assertEquals((await ask(weir.url)).text, "good");
    assertEquals([bad.requests.length, good.requests.length], [1, 2]);
    assertEquals([weir.endpointTotal(bad.url, "resets"), weir.upstreamTotal("retryReset")], [1, 1]);

    const statuses = [];
    for (let n = 0; n < 2; n++) statuses.push((await ask(weir.url, { method: "POST", body: "x" })).status);
    assertEquals(statuses.sort(), [200, 502]);
    assertEquals([bad.requests.length, good.requests.length], [2, 3]);
  });
}
