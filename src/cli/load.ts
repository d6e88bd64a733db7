// Loading the configuration for a command: what is wrong goes to stderr, all of it at once.

import { readTextFileBounded } from "../config/file.ts";
import { renderFindings } from "../config/findings.ts";
import { loadConfig, type Loaded } from "../config/load.ts";

/** The configuration, or null after its problems were printed: exit 64. */
export async function loadOrRefuse(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  fallbackUpstreams: readonly string[] = [],
): Promise<Loaded | null> {
  const loaded = await loadConfig({ args, env, readTextFile: readTextFileBounded, fallbackUpstreams });
  if (loaded.ok) return loaded;
  console.error(renderFindings(loaded.findings).trimEnd());
  return null;
}
