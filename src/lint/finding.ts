// What `weir check` says of a configuration that is valid but will bite: one shape for all rules.

import { type Path, pathText } from "../config/path.ts";
import type { Config, RouteConfig, UpstreamConfig } from "../config/schema.ts";

/** What a rule found, before its place is known. */
export interface LintReport {
  /** The key it is about. */
  readonly path: Path;
  /** What it is called where that is no key. */
  readonly subject?: string;
  /** error: some traffic cannot be served as written. warning: it works, until it bites. */
  readonly severity: "error" | "warning";
  /** Follows the subject: `is 90000, above ...`. */
  readonly state: string;
  /** What happens if it stays, one sentence. */
  readonly why: string;
  /** What to write instead, one sentence. */
  readonly fix: string;
}

export interface LintFinding extends LintReport {
  /** Name of the rule. */
  readonly rule: string;
  /** The key: `upstreams.api.health.timeoutMs`. */
  readonly subject: string;
  /** `config.yaml:12:17`, `variable PORT` or `flag --port`. */
  readonly place: string;
}

/** What a rule may know besides the configuration. */
export interface LintContext {
  /** Where the value at a path, or the closest thing above it, was written. */
  readonly placeOf: (path: Path) => string;
  /** Where each value came from, by its path as text; kind `default` when nobody wrote it. */
  readonly origins: ReadonlyMap<string, { readonly kind: string }>;
  /** Objects of the Kubernetes manifests that Weir is deployed by, parsed. */
  readonly manifest?: readonly unknown[];
}

export interface LintRule {
  readonly name: string;
  readonly check: (config: Config, context: LintContext) => LintReport[];
}

/** A rule that looks at one route at a time. */
export function perRoute(
  name: string,
  check: (route: RouteConfig, path: Path, config: Config) => LintReport[],
): LintRule {
  return {
    name,
    check: (config) => config.routes.flatMap((route, i) => check(route, ["routes", i], config)),
  };
}

/** One upstream as a rule sees it. */
interface One {
  readonly name: string;
  readonly upstream: UpstreamConfig;
  readonly path: Path;
  readonly config: Config;
  readonly context: LintContext;
}

/** A rule that looks at one upstream at a time. */
export function perUpstream(name: string, check: (one: One) => LintReport[]): LintRule {
  return {
    name,
    check: (config, context) =>
      Object.entries(config.upstreams).flatMap(([name, upstream]) =>
        check({ name, upstream, path: ["upstreams", name], config, context })
      ),
  };
}

/** Whether an operator wrote the value at `path` or something in it. */
export function isWritten({ origins }: LintContext, path: Path): boolean {
  let written = writtenIn.get(origins);
  if (written === undefined) writtenIn.set(origins, written = writtenPaths(origins));
  return written.has(pathText(path));
}

/** Rules ask of each upstream, and there may be hundreds: each configuration's origins are gone through once. */
const writtenIn = new WeakMap<LintContext["origins"], ReadonlySet<string>>();

/** The paths that were written, and what stands above them. A dot or bracket in a quoted key makes a path of nothing. */
function writtenPaths(origins: LintContext["origins"]): Set<string> {
  const paths = new Set<string>();
  for (const [path, { kind }] of origins) {
    if (kind === "default") continue;
    paths.add(path);
    for (const { index } of path.matchAll(/[.[]/g)) paths.add(path.slice(0, index));
  }
  return paths;
}
