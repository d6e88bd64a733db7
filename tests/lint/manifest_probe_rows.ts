// Lint rules about what Weir's containers are asked for by their probes.

import { a, type LintRow, weirPod as pod } from "./row.ts";

const asks = (path: string, port: unknown, more: object = {}) =>
  pod({
    ports: [{ name: "http", containerPort: 3_000 }, { name: "admin", containerPort: 9_901 }],
    livenessProbe: { httpGet: { path, port } },
    ...more,
  });
const discovering = { upstreams: { app: { endpoints: [a, "k8s://app:http"] } } };
const runs = (...command: string[]) => pod({ livenessProbe: { exec: { command } } });

export const manifestProbeRows: readonly LintRow[] = [
  {
    rule: "liveness-asks-readiness",
    bites: discovering,
    with: asks("/readyz", "admin"),
    subjects: ["admin.port"],
    severity: "warning",
    fine: discovering,
    fineWith: asks("/livez", "admin", { readinessProbe: { httpGet: { path: "/readyz", port: "admin" } } }),
  },
  {
    rule: "liveness-asks-readiness",
    bites: { ...discovering, listen: { readyPath: "/ready?of=weir" } },
    with: asks("/ready?of=weir", 3_000),
    subjects: ["listen.port"],
    severity: "warning",
    fine: { ...discovering, listen: { readyPath: "/ready" } },
    // It reaches nobody.
    fineWith: asks("/ready", 3_001),
  },
  {
    rule: "liveness-asks-readiness",
    bites: discovering,
    with: asks("readyz?from=kubelet", "9000", { args: ["run", "--admin-port", "9000"] }),
    subjects: ["admin.port"],
    severity: "warning",
    fine: discovering,
    fineWith: asks("/readyz", 9_901, { args: ["run", "--admin-port", "9000"] }),
  },
  {
    rule: "liveness-asks-readiness",
    bites: { upstreams: { app: { endpoints: [{ url: "dns+http://app:80" }] } } },
    with: pod({
      livenessProbe: { exec: { command: ["deno", "run", "src/main.ts", "probe"] }, periodSeconds: 6 },
    }),
    subjects: ["admin.port"],
    severity: "warning",
    fine: { upstreams: { app: { endpoints: [{ url: "dns+http://app:80" }] } } },
    // DNS is not waited for as long as the Kubernetes API.
    fineWith: asks("/readyz", "admin"),
  },
  {
    rule: "liveness-asks-readiness",
    bites: discovering,
    with: runs("weir", "probe", "--path", "/readyz"),
    subjects: ["admin.port"],
    severity: "warning",
    fine: discovering,
    fineWith: runs("deno", "run", "src/main.ts", "probe", "--path=/livez"),
  },
  {
    rule: "liveness-asks-readiness",
    bites: discovering,
    with: runs("sh", "-c", "cd /weir && deno task weir probe --path '/startupz?x' || exit 1"),
    subjects: ["admin.port"],
    severity: "warning",
    // Nobody is waited for.
    fine: { upstreams: { app: { endpoints: [a] } } },
    fineWith: pod({ livenessProbe: { httpGet: { path: "/readyz", port: 9_901 }, failureThreshold: 1 } }),
  },
  {
    rule: "liveness-asks-readiness",
    bites: discovering,
    with: runs("curl", "-f", "http://$(POD_IP):9901/readyz"),
    subjects: ["admin.port"],
    severity: "warning",
    fine: discovering,
    // Patient for longer than a start waits.
    fineWith: pod({
      livenessProbe: { httpGet: { path: "/readyz", port: 9_901 }, periodSeconds: "5", failureThreshold: 8 },
    }),
  },
  {
    rule: "liveness-asks-readiness",
    bites: discovering,
    with: asks("/readyz", "admin", { startupProbe: { httpGet: { path: "/livez", port: "admin" } } }),
    subjects: ["admin.port"],
    severity: "warning",
    fine: discovering,
    // It is asked once that has passed.
    fineWith: asks("/readyz", "admin", { startupProbe: { httpGet: { path: "/startupz", port: "admin" } } }),
  },
  {
    rule: "liveness-asks-readiness",
    bites: discovering,
    with: pod({ livenessProbe: { httpGet: { path: "/readyz", port: 9_901, host: null } } }),
    subjects: ["admin.port"],
    severity: "warning",
    fine: { ...discovering, listen: { readyPath: "/ready" } },
    // Another program's, another host, and a port that nothing names.
    fineWith: {
      manifest: [
        ...runs("other", "probe").manifest,
        ...pod({ livenessProbe: { httpGet: { path: "/readyz", port: 9_901, host: "10.0.0.1" } } }).manifest,
        ...pod({ ports: [{ containerPort: 3_000 }], livenessProbe: { httpGet: { path: "/ready" } } })
          .manifest,
      ],
    },
  },
  {
    rule: "liveness-asks-readiness",
    bites: discovering,
    with: pod({ livenessProbe: { tcpSocket: { port: 3_000 } } }),
    subjects: ["listen.port"],
    severity: "warning",
    fine: discovering,
    fineWith: pod({
      livenessProbe: { tcpSocket: { port: 3_000 } },
      startupProbe: { tcpSocket: { port: 3_000 } },
    }),
  },
  {
    rule: "liveness-asks-readiness",
    bites: discovering,
    with: runs("/usr/local/bin/weir", "probe"),
    subjects: ["admin.port"],
    severity: "warning",
    fine: discovering,
    fineWith: pod({ livenessProbe: { tcpSocket: { port: 9_901 } } }),
  },
  {
    rule: "startup-gives-up",
    bites: discovering,
    with: pod({ startupProbe: { httpGet: { path: "/startupz", port: 9_901 } } }),
    subjects: ["admin.port"],
    severity: "warning",
    fine: discovering,
    fineWith: pod({
      startupProbe: { httpGet: { path: "/startupz", port: 9_901 }, periodSeconds: 1, failureThreshold: 60 },
    }),
  },
  {
    rule: "startup-gives-up",
    bites: { ...discovering, listen: { readyPath: "/ready" } },
    with: pod({
      startupProbe: { httpGet: { path: "/ready", port: 3_000 }, initialDelaySeconds: 10, periodSeconds: 0 },
    }),
    subjects: ["listen.port"],
    severity: "warning",
    fine: discovering,
    fineWith: {
      manifest: [{ failureThreshold: "${PATIENCE}" }, { failureThreshold: 5, periodSeconds: 0 }].flatMap((
        more,
      ) => pod({ startupProbe: { exec: { command: ["weir", "probe"] }, ...more } }).manifest),
    },
  },
];
