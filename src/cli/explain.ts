// The command `weir explain`: why a request goes, or went, where it does; asked of a running Weir.

import { EXPLAIN_KEYS, EXPLAIN_USAGE, questionOf } from "../admin/explain.ts";
import { readQuestion } from "./admin_address.ts";
import { askAdmin } from "./admin_client.ts";
import { complain } from "./print.ts";

/** What `/explain` of the admin port takes. */
const KEYS = ["id", ...EXPLAIN_KEYS];

/** Exit 0 with the explanation, 1 when there is none, 64 for a flag it does not know or flags that ask nothing. */
export async function explain(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const question = await readQuestion({ name: "explain", flags: KEYS, switches: ["json"] }, args, env);
  if (question === null) return 64;
  const query = new URLSearchParams(
    KEYS.flatMap((key) => (question.flags[key] ?? []).map((value) => [key, value])),
  );
  const asked = questionOf(query, "127.0.0.1");
  if ("problem" in asked) {
    complain(`${asked.problem}\n${EXPLAIN_USAGE.trimEnd()}`);
    return 64;
  }
  return await askAdmin(
    question,
    `/explain?${query}`,
    question.switches.has("json") ? "application/json" : "text/plain",
  );
}
