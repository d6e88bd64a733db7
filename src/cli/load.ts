// Loading the configuration for a command: what is wrong goes to stderr, all of it at once.

import { readTextFileBounded } from "../config/file.ts";
import { renderFindings } from "../config/findings.ts";
import { loadConfigApart } from "../config/load_apart.ts";
import type { Loaded } from "../config/loading.ts";
import { complain } from "./print.ts";

/** The configuration, or null after its problems were printed: exit 64. */
export async function loadOrRefuse(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  fallbackUpstreams: readonly string[] = [],
): Promise<Loaded | null> {
  const loaded = await loadConfigApart({ args, env, readTextFile: readTextFileBounded, fallbackUpstreams });
  if (loaded.ok) return loaded;
  complain(renderFindings(loaded.findings).trimEnd());
  return null;
}

/** Whether there is something to balance over; where there is not, says how to give it. */
export function hasUpstreams({ config, file }: Loaded): boolean {
  if (Object.keys(config.upstreams).length > 0) return true;
  complain(noUpstreams(file));
  return false;
}

function noUpstreams(file: string | undefined): string {
  const where = file === undefined ? "" : `${file} names none, and `;
  return `No upstreams: ${where}Weir has nothing to balance over. Give some in one of these ways:
  UPSTREAMS=http://10.0.0.1:8080,http://10.0.0.2:8080
  --upstream http://10.0.0.1:8080 --upstream http://10.0.0.2:8080
  CONFIG=/etc/weir/weir.yaml   with a key \`upstreams\` in it`;
}
