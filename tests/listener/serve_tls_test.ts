// Deno.serve behind a door of Weir's own.

import { assertEquals } from "@std/assert";
import { configSchema } from "../../src/config/schema.ts";
import { ServeListener } from "../../src/listener/serve.ts";
import { TimerWheel } from "../../src/timer_wheel.ts";

const { listen } = configSchema.parse({ upstreams: { default: { endpoints: ["http://127.0.0.1:1"] } } });

Deno.test("a ServeListener behind a door of Weir's refuses who did not come through it", async () => {
  const wheel = new TimerWheel({ now: () => 0, every: () => () => {} });
  let handled = 0;
  const listener = new ServeListener(
    {
      config: listen,
      wheel,
      handle: () => {
        handled++;
        return Promise.resolve();
      },
      onFailed: () => {},
      makeRoom: () => null,
      trusts: () => false,
      countConnection: () => {},
    },
    { hostname: "127.0.0.1", port: 0, reusePort: false, scheme: "https", clientOf: () => null },
  );
  const answer = await fetch(`http://127.0.0.1:${listener.port}/`);
  assertEquals([answer.status, await answer.text(), handled], [403, "", 0]);
  await listener.drain();
});
