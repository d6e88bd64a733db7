import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Loaded } from "../../src/config/loading.ts";
import { adminView } from "../../src/pod/admin_view.ts";
import type { Pod } from "../../src/pod/pod.ts";
import { loaded } from "../config/helpers.ts";

/** A configuration, and how often it was looked at. */
async function looked(port: number): Promise<{ loaded: Loaded; looks: () => number }> {
  const args = ["--upstream", "http://10.0.0.1", "--port", String(port)];
  const whole = await loaded({ args });
  let count = 0;
  const watched = Object.defineProperty({ ...whole }, "config", { get: () => (count++, whole.config) });
  return { loaded: watched, looks: () => count };
}

Deno.test("adminView() describes a configuration once, however often it is asked for", async () => {
  const [first, second] = [await looked(3001), await looked(3002)];
  const pod = { loaded: first.loaded, lastReload: null, publisher: { version: 1 } };
  const { config } = adminView(pod as unknown as Pod);
  for (let i = 0; i < 3; i++) assertStringIncludes(config().effective, "port: 3001");
  pod.loaded = second.loaded;
  for (let i = 0; i < 3; i++) assertStringIncludes(config().effective, "port: 3002");
  assertEquals([first.looks(), second.looks()], [1, 1]);
});
