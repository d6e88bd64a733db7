// A sticky client stays at its endpoint while that drains, and does not wait with those that may not go there.

import { assertEquals } from "@std/assert";
import { EndpointState, Verdicts } from "../../src/board/verdicts.ts";
import { requestText } from "../support/raw_client.ts";
import { Gate, reply, scene, wait } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

scenario("a sticky client of an endpoint that drains passes those that wait for others", async (props) => {
  const gate = new Gate();
  const home = await props.origin(reply(200));
  const other = await props.origin([scene(wait(gate), reply(200)), reply(200)]);
  const upstream = {
    endpoints: [home.url, other.url],
    sticky: {},
    limits: { inFlightPerEndpointMax: 1, queueTimeoutMs: 60_000 },
  };
  const loop = await props.loop({ config: { upstreams: { default: upstream } } });
  const send = async (target: string, cookie = "none") => {
    const client = await props.client(loop);
    await client.send(requestText("GET", target, [["Cookie", cookie]]));
    return client.response();
  };
  const login = await send("/login");
  new Verdicts(loop.board).write(0, 0, EndpointState.draining, 1_000);
  const others = [send("/a")];
  await other.request(1);
  others.push(send("/b"));
  await until("one waits", () => loop.board.upstreamWaiting(0) === 1);
  const stayed = await send("/2", login.header("set-cookie")!.split(";")[0]!);
  assertEquals([stayed.status, stayed.header("set-cookie"), loop.board.upstreamWaiting(0)], [
    200,
    undefined,
    1,
  ]);
  gate.open();
  assertEquals((await Promise.all(others)).map(({ status }) => status), [200, 200]);
  assertEquals([home, other].map(({ requests }) => requests.map(({ target }) => target)), [
    ["/login", "/2"],
    ["/a", "/b"],
  ]);
});
