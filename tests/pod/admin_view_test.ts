import { assertEquals, assertStringIncludes } from "@std/assert";
import { loadConfig, type Loaded } from "../../src/config/load.ts";
import { adminSources } from "../../src/pod/admin_view.ts";
import type { Pod } from "../../src/pod/pod.ts";

/** A configuration, and how often it was looked at. */
async function looked(port: number): Promise<{ loaded: Loaded; looks: () => number }> {
  const args = ["--upstream", "http://10.0.0.1", "--port", String(port)];
  const whole = await loadConfig({ args, env: {}, readTextFile: () => Promise.reject(new Error("no file")) });
  if (!whole.ok) throw new Error("refused");
  let count = 0;
  const loaded = Object.defineProperty({ ...whole }, "config", { get: () => (count++, whole.config) });
  return { loaded, looks: () => count };
}

Deno.test("adminSources() describes a configuration once, however often it is asked for", async () => {
  const [first, second] = [await looked(3001), await looked(3002)];
  const pod = { loaded: first.loaded, lastReload: null, publisher: { version: 1 } };
  const { config } = adminSources(pod as unknown as Pod);
  for (let i = 0; i < 3; i++) assertStringIncludes(config().effective, "port: 3001");
  pod.loaded = second.loaded;
  for (let i = 0; i < 3; i++) assertStringIncludes(config().effective, "port: 3002");
  assertEquals([first.looks(), second.looks()], [1, 1]);
});
