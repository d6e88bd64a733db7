// The command `weir check`: is this configuration valid, what does it come to, and what in it will bite?

import { describeConfig } from "../config/describe.ts";
import { renderFinding } from "../config/findings.ts";
import { lint, renderLintFinding } from "../config/lint.ts";
import { hasUpstreams, loadOrRefuse } from "./load.ts";
import { readManifests } from "./manifest.ts";

/** Exit 0: valid, warnings or not; 1: valid but with an error of reason; 64: not valid, no upstreams, or no manifest. */
export async function check(args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const { manifest, rest } = manifestFlag(args);
  const loaded = await loadOrRefuse(rest, env);
  if (loaded === null) return 64;
  const objects = manifest === null ? undefined : await readManifests(manifest);
  if (objects !== undefined && !Array.isArray(objects)) {
    console.error(renderFinding(objects));
    return 64;
  }
  console.log(describeConfig(loaded).trimEnd());
  const findings = lint(loaded.config, {
    placeOf: loaded.placeOf,
    origins: loaded.origins,
    ...(objects === undefined ? {} : { manifest: objects }),
  });
  for (const finding of findings) console.error(renderLintFinding(finding));
  if (!hasUpstreams(loaded)) return 64;
  return findings.some(({ severity }) => severity === "error") ? 1 : 0;
}

/** `--manifest DIR` is for this command only; the rest is configuration. */
function manifestFlag(args: readonly string[]): { manifest: string | null; rest: string[] } {
  const rest: string[] = [];
  let manifest: string | null = null;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--manifest") manifest = args[++i] ?? "";
    else if (arg.startsWith("--manifest=")) manifest = arg.substring("--manifest=".length);
    else rest.push(arg);
  }
  return { manifest, rest };
}
