// Accepts that fail, scripted, on a clock that stands still: whoever would wait for it to go on waits for ever.

import { assertEquals } from "@std/assert";
import { configSchema } from "../../src/config/schema.ts";
import { openListener } from "../../src/listener/listener.ts";
import { TimerWheel } from "../../src/timer_wheel.ts";
import { RawClient, requestText } from "../support/raw_client.ts";
import { until } from "../support/until.ts";

const { listen } = configSchema.parse({ upstreams: { default: { endpoints: ["http://127.0.0.1:1"] } } });

/** Opens with sockets of which each accept fails, after somebody came, as long as there are `failures`. */
function opened<T>(failures: Error[], open: () => T): T {
  const real = Deno.listen;
  Deno.listen = ((options: Deno.TcpListenOptions) => {
    const socket = real(options);
    const accept = socket.accept.bind(socket);
    socket.accept = async () => {
      const conn = await accept();
      const failure = failures.shift();
      if (failure === undefined) return conn;
      conn.close();
      throw failure;
    };
    return socket;
  }) as typeof Deno.listen;
  try {
    return open();
  } finally {
    Deno.listen = real;
  }
}

Deno.test("clients that leave before they are accepted cost nobody a connection and hold nobody up", async () => {
  const { NotConnected, ConnectionAborted, ConnectionReset } = Deno.errors;
  const failures: Error[] = [];
  const listener = opened(failures, () =>
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
