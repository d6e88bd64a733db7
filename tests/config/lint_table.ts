// One row for each lint rule: what makes it speak, about which key, and the closest thing that is fine.

import { actionRows } from "./lint_action_rows.ts";
import { manifestClusterRows } from "./lint_manifest_cluster_rows.ts";
import { manifestFileRows } from "./lint_manifest_file_rows.ts";
import { manifestProbeRows } from "./lint_manifest_probe_rows.ts";
import { manifestServingRows } from "./lint_manifest_serving_rows.ts";
import { podRows } from "./lint_pod_rows.ts";
import { routeRows } from "./lint_route_rows.ts";
import type { LintRow } from "./lint_row.ts";
import { upstreamRows, waitRows } from "./lint_upstream_rows.ts";

export const LINT_ROWS: readonly LintRow[] = [
  ...routeRows,
  ...actionRows,
  ...waitRows,
  ...upstreamRows,
  ...podRows,
  ...manifestProbeRows,
  ...manifestServingRows,
  ...manifestFileRows,
  ...manifestClusterRows,
];
