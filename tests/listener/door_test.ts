// Accepts that fail, scripted, on a clock that stands still: whoever would wait for it to go on waits for ever.

import { assertEquals } from "@std/assert";
import { configSchema } from "../../src/config/schema.ts";
import { openListener } from "../../src/listener/listener.ts";
import { TimerWheel } from "../../src/timer_wheel.ts";
import { withFailingAccepts } from "../support/failing_accepts.ts";
import { RawClient, requestText } from "../support/raw_client.ts";
import { until } from "../support/until.ts";

const { listen } = configSchema.parse({ upstreams: { default: { endpoints: ["http://127.0.0.1:1"] } } });

Deno.test("clients that leave before they are accepted cost nobody a connection and hold nobody up", async () => {
  const { NotConnected, ConnectionAborted, ConnectionReset } = Deno.errors;
  const failures: Error[] = [];
  const listener = withFailingAccepts(() => failures.shift(), () =>
    openListener({
      config: { ...listen, host: "127.0.0.1", port: 0, listener: "wire" },
      wheel: new TimerWheel({ now: () => 0, every: () => () => {} }),
      handle: async (exchange) => {
        await exchange.respond({ status: 204, reason: "", headers: [] }, null);
      },
      onFailed: () => {},
      makeRoom: () => null,
      trusts: () => false,
      countConnection: () => {},
    }));
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
