// A client with a sticky cookie stays where its session is, whatever becomes of a connection on the way there.

import { assertEquals } from "@std/assert";
import { requestText } from "../support/raw_client.ts";
import { reply, reset } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";

scenario("a sticky client stays when its endpoint had closed the kept connection", async (props) => {
  const home = await props.origin([reply(200), reset(), reply(200, { body: "home" })]);
  const other = await props.origin(reply(200));
  const upstream = { endpoints: [home.url, other.url], sticky: {} };
  const weir = await props.loop({ config: { upstreams: { default: upstream } } });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/login"));
  const cookie = (await client.response()).header("set-cookie")!.split(";")[0]!;
  await client.send(requestText("GET", "/account", [["Cookie", cookie]]));
  const answer = await client.response();
  assertEquals([answer.text, answer.header("set-cookie")], ["home", undefined]);
  assertEquals([home.requests.length, other.requests.length], [3, 0]);
});
