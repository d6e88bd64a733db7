// The command `weir explain`: why a request goes, or went, where it does; asked of a running Weir.

import { EXPLAIN_KEYS, EXPLAIN_USAGE, questionOf } from "../admin/explain.ts";
import { readAdminCall } from "./admin_call.ts";
import { askAdmin } from "./admin_client.ts";
import { complain } from "./print.ts";

/** What `/explain` of the admin port takes. */
const KEYS = ["id", ...EXPLAIN_KEYS];

/** Exit 0 with the explanation, 1 when there is none, 64 for a flag it does not know or flags that ask nothing. */
export async function explain(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const call = await readAdminCall({ name: "explain", flags: KEYS, switches: ["json"] }, args, env);
  if (call === null) return 64;
  const query = new URLSearchParams(
    KEYS.flatMap((key) => (call.flags[key] ?? []).map((value) => [key, value])),
  );
  const asked = questionOf(query, "127.0.0.1");
  if ("problem" in asked) {
    complain(`${asked.problem}\n${EXPLAIN_USAGE.trimEnd()}`);
    return 64;
  }
  return await askAdmin(
    call,
    `/explain?${query}`,
    call.switches.has("json") ? "application/json" : "text/plain",
  );
}
