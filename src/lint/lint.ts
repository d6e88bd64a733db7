// Reasons about a valid configuration: what in it cannot work or will bite, why, and what to write instead.
//
// Called by `weir check`, at start, which says what it finds and goes on, and at a reload, which new errors refuse.
// What contradicts the schema or itself never comes here: `validate.ts` has refused it. A rule is one small function in
// one of the lists.

import { pathText } from "../config/path.ts";
import type { Config } from "../config/schema.ts";
import { actionRules } from "./actions.ts";
import type { LintContext, LintFinding, LintRule } from "./finding.ts";
import { manifestRules } from "./manifest.ts";
import { manifestClusterRules } from "./manifest_cluster.ts";
import { manifestFileRules } from "./manifest_files.ts";
import { manifestProbeRules } from "./manifest_probes.ts";
import { podRules } from "./pod.ts";
import { routeRules } from "./routes.ts";
import { upstreamRules } from "./upstreams.ts";
import { waitRules } from "./waits.ts";

export type { LintContext, LintFinding } from "./finding.ts";

export const lintRules: readonly LintRule[] = [
  ...podRules,
  ...manifestRules,
  ...manifestProbeRules,
  ...manifestFileRules,
  ...manifestClusterRules,
  ...routeRules,
  ...actionRules,
  ...upstreamRules,
  ...waitRules,
];

/** All findings, errors first. */
export function lint(config: Config, context: LintContext): LintFinding[] {
  const findings = lintRules.flatMap(({ name, check }) =>
    check(config, context).map((report) => ({
      rule: name,
      subject: pathText(report.path),
      place: context.placeOf(report.path),
      ...report,
    }))
  );
  const errors = findings.filter(({ severity }) => severity === "error");
  return [...errors, ...findings.filter(({ severity }) => severity === "warning")];
}

/** Three lines: what and where, why it bites, the fix. */
export function renderLintFinding({ severity, subject, state, place, why, fix, rule }: LintFinding): string {
  return `${severity}: ${subject} ${state} (${place}) [${rule}]\n    why: ${why}\n    fix: ${fix}`;
}
