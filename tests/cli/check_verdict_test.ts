// `weir check` prints a long configuration: the verdict stands where it is seen, in the last line.

import { assertEquals } from "@std/assert";
import { runWeir } from "../support/weir.ts";

const lastOf = (text: string) => text.trimEnd().split("\n").at(-1);

Deno.test("check ends with how many errors and warnings there are, or that there are none", async () => {
  const UPSTREAMS = "http://127.0.0.1:3000";
  const good = await runWeir(["check"], { UPSTREAMS, PORT: "3001" });
  assertEquals([good.code, lastOf(good.stdout), good.stderr], [0, "# Valid, and nothing to warn of.", ""]);
  const warned = await runWeir(["check"], { UPSTREAMS, PORT: "3001", TRUSTED_PROXIES: "0.0.0.0/0,::/0" });
  assertEquals([warned.code, lastOf(warned.stderr)], [0, "2 warnings (docs/check.md)"]);
  const wrong = await runWeir(["check"], { UPSTREAMS, TRUSTED_PROXIES: "0.0.0.0/0" });
  assertEquals([wrong.code, lastOf(wrong.stderr)], [1, "1 error, 1 warning (docs/check.md)"]);
});
