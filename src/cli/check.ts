// The command `weir check`: is this configuration valid, what does it come to, and what in it will bite?

import { describeConfig } from "../config/describe.ts";
import { type Finding, plural, renderFinding } from "../config/findings.ts";
import { lint, type LintFinding, renderLintFinding } from "../lint/lint.ts";
import { weirPods } from "../lint/manifest_pods.ts";
import { hasUpstreams, loadOrRefuse } from "./load.ts";
import { readManifests } from "./manifest.ts";
import { complain, print } from "./print.ts";

/** Exit 0: valid, warnings or not; 1: valid but with an error of reason; 64: not valid, no upstreams, or no pod in the manifests. */
export async function check(args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const { manifests, rest } = manifestFlag(args);
  const loaded = await loadOrRefuse(rest, env);
  if (loaded === null) return 64;
  const objects: unknown[] = [];
  for (const manifest of manifests) {
    const found = await readManifests(manifest);
    if (!Array.isArray(found)) {
      complain(renderFinding(found));
      return 64;
    }
    objects.push(...found);
  }
  if (manifests.length > 0 && weirPods(objects).length === 0) {
    complain(renderFinding(noPod(manifests)));
    return 64;
  }
  print(describeConfig(loaded).trimEnd());
  const findings = lint(loaded.config, {
    placeOf: loaded.placeOf,
    origins: loaded.origins,
    ...(manifests.length === 0 ? {} : { manifest: objects }),
  });
  for (const finding of findings) complain(renderLintFinding(finding));
  if (!hasUpstreams(loaded)) return 64;
  if (findings.length === 0) print("# Valid, and nothing to warn of.");
  else complain(tally(findings));
  return findings.some(({ severity }) => severity === "error") ? 1 : 0;
}

/** A kustomization only names the files that hold them. */
function noPod(manifests: readonly string[]): Finding {
  return {
    subject: manifests.join(" and "),
    state: `${manifests.length === 1 ? "holds" : "hold"} no pod`,
    accepted:
      "must have the Deployment that runs Weir (of a kustomization what `kubectl kustomize` makes of it)",
    place: "flag --manifest",
  };
}

/** The last line of many, where an operator looks first: `1 error, 2 warnings (docs/check.md)`. */
function tally(findings: readonly LintFinding[]): string {
  const parts = (["error", "warning"] as const).flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [plural(count, severity)];
  });
  return `${parts.join(", ")} (docs/check.md)`;
}

/** `--manifest PATH`, once or several times, is for this command only; the rest is configuration. */
function manifestFlag(args: readonly string[]): { manifests: string[]; rest: string[] } {
  const rest: string[] = [];
  const manifests: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--manifest") manifests.push(args[++i] ?? "");
    else if (arg.startsWith("--manifest=")) manifests.push(arg.substring("--manifest=".length));
    else rest.push(arg);
  }
  return { manifests, rest };
}
