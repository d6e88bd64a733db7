import { assertEquals } from "@std/assert";
import { configSchema } from "../../src/config/schema.ts";

Deno.test("a route's overrides hold only what the operator wrote, never the schema's defaults", () => {
  const config = configSchema.parse({
    upstreams: { api: { endpoints: ["http://10.0.0.1:80"] } },
    routes: [{ upstream: "api", timeouts: { requestMs: 5 }, retry: { attemptsMax: 1 } }],
  });
  assertEquals(config.routes[0]?.timeouts, { requestMs: 5 });
  assertEquals(config.routes[0]?.retry, { attemptsMax: 1 });
});
