import { assertEquals } from "@std/assert";
import { type RawClient, requestText } from "../support/raw_client.ts";
import { Gate, reply, scene, wait } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

scenario("20 long requests over two workers and two endpoints land 10 and 10", async (props) => {
  const gate = new Gate();
  const slow = scene(wait(gate), reply(200));
  const [a, b] = [await props.origin(slow), await props.origin(slow)];
  const balance = { policy: "least_request", choices: "all" };
  const weir = await props.weir({
    workers: 2,
    config: { upstreams: { default: { endpoints: [a.url, b.url], balance } } },
  });
  const clients: RawClient[] = [];
  for (let n = 1; n <= 20; n++) {
    const client = await props.client(weir);
    clients.push(client);
    await client.send(requestText("GET", "/"));
    await until("it is seen at its origin", () => a.requests.length + b.requests.length === n);
  }
  assertEquals([a.requests.length, b.requests.length], [10, 10]);
  gate.open();
  for (const client of clients) assertEquals((await client.response()).status, 200);
});
