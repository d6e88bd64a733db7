// What a running Weir explains.

import { ask } from "./raw_client.ts";
import type { RunningWeir } from "./weir.ts";

/** The answer of `/explain` to a query, as JSON. */
export async function explained(weir: RunningWeir, query: string) {
  const accept: [string, string] = ["Accept", "application/json"];
  return JSON.parse((await ask(weir.adminUrl, { target: `/explain?${query}`, headers: [accept] })).text);
}
