// One row for each lint rule: what makes it speak, about which key, and the closest thing that is fine.

import { actionRows } from "./action_rows.ts";
import { manifestClusterRows } from "./manifest_cluster_rows.ts";
import { manifestFileRows } from "./manifest_file_rows.ts";
import { manifestProbeRows } from "./manifest_probe_rows.ts";
import { manifestServingRows } from "./manifest_serving_rows.ts";
import { podRows } from "./pod_rows.ts";
import { routeRows } from "./route_rows.ts";
import type { LintRow } from "./row.ts";
import { upstreamRows, waitRows } from "./upstream_rows.ts";

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
