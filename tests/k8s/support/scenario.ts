// A `k8s://` scenario: a scripted API server, a running source, and what happens between them.

import { ScriptedApi, slice } from "./scripted_api.ts";
import { Watched } from "./watched.ts";

export const strict = { sanitizeOps: true, sanitizeResources: true };

/** Plays one; everything is closed and nothing may be left over at its end. */
export function scenario(
  name: string,
  play: (api: ScriptedApi, watched: Watched) => Promise<void>,
): void {
  Deno.test({
    name: `k8s:// ${name}`,
    ...strict,
    fn: async () => {
      await using api = new ScriptedApi();
      await using watched = new Watched(api);
      await play(api, watched);
    },
  });
}

/** The slice that most scenarios start with: one ready pod. */
export const onePod = slice("s1", { "10.0.0.1": "ready" });
