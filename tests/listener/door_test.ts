// Accepts that fail, scripted, on a clock that stands still: whoever would wait for it to go on waits for ever.

import { assertEquals } from "@std/assert";
import { openListener } from "../../src/listener/listening.ts";
import { withFailingAccepts } from "../support/failing_accepts.ts";
import { listenOptions } from "../support/listen_options.ts";
import { RawClient, requestText } from "../support/raw_client.ts";
import { until } from "../support/until.ts";

Deno.test("clients that leave before they are accepted cost nobody a connection and hold nobody up", async () => {
  const { NotConnected, ConnectionAborted, ConnectionReset } = Deno.errors;
  const failures: Error[] = [];
  const open = () => openListener(listenOptions("wire"));
  const listener = withFailingAccepts(() => failures.shift(), open);
  const url = `http://127.0.0.1:${listener.port}`;
  const asks = async (client: RawClient) => {
    await client.send(requestText("GET", "/"));
    assertEquals((await client.response()).status, 204);
  };
  {
    await using idle = await RawClient.connect(url);
    await asks(idle);
    failures.push(new NotConnected(), new ConnectionAborted(), new ConnectionReset());
    while (failures.length > 0) {
      const left = failures.length - 1;
      await using _leaves = await RawClient.connect(url);
      await until("its accept has failed", () => failures.length === left);
    }
    await asks(idle);
    await using next = await RawClient.connect(url);
    await asks(next);
  }
  listener.abort();
});
