// Deno.serve behind a door of Weir's own.

import { assertEquals } from "@std/assert";
import { ServeListener } from "../../src/listener/serve.ts";
import { listenOptions } from "../support/listen_options.ts";

Deno.test("a ServeListener behind a door of Weir's refuses who did not come through it", async () => {
  let handled = 0;
  const handle = async () => void handled++;
  const listener = new ServeListener(
    listenOptions("serve", { handle }),
    { hostname: "127.0.0.1", port: 0, reusePort: false, scheme: "https", clientOf: () => null },
  );
  const answer = await fetch(`http://127.0.0.1:${listener.port}/`);
  assertEquals([answer.status, await answer.text(), handled], [403, "", 0]);
  await listener.drain();
});
