// Lint rules about what Weir's containers are asked for and what they can read.

import { a, type LintRow } from "./lint_row.ts";

const pod = (container: object, spec: object = {}) => ({
  manifest: [{ kind: "Pod", spec: { containers: [{ name: "weir", ...container }], ...spec } }],
});
const asks = (path: string, port: unknown, more: object = {}) =>
  pod({
    ports: [{ name: "http", containerPort: 3_000 }, { name: "admin", containerPort: 9_901 }],
    livenessProbe: { httpGet: { path, port } },
    ...more,
  });
const runs = (...command: string[]) => pod({ livenessProbe: { exec: { command } } });

/** A container that reads this file, where its mounts are from a ConfigMap `config` and a Secret `tls`. */
const mounting = (...mounts: object[]) =>
  pod({ env: [{ name: "CONFIG", value: "/etc/weir/weir.yaml" }], volumeMounts: mounts }, {
    volumes: [{ name: "config", configMap: { name: "weir" } }, { name: "tls", secret: {} }, {
      name: "scratch",
      emptyDir: {},
    }],
  });
const whole = { name: "config", mountPath: "/etc/weir" };
const certificate = {
  listen: { tls: { certFile: "/etc/weir/tls/tls.crt", keyFile: "/etc/weir/tls/tls.key" } },
};

export const manifestRows: readonly LintRow[] = [
  {
    rule: "liveness-asks-readiness",
    bites: {},
    with: asks("/readyz", "admin"),
    subjects: ["admin.port"],
    severity: "warning",
    fine: {},
    fineWith: asks("/livez", "admin", { readinessProbe: { httpGet: { path: "/readyz", port: "admin" } } }),
  },
  {
    rule: "liveness-asks-readiness",
    bites: { listen: { readyPath: "/ready" } },
    with: asks("/ready?from=kubelet", 3_000),
    subjects: ["listen.readyPath"],
    severity: "warning",
    fine: { listen: { readyPath: "/ready" } },
    fineWith: asks("/readyz", "http"),
  },
  {
    rule: "liveness-asks-readiness",
    bites: {},
    with: asks("/readyz", 9_000, { args: ["run", "--admin-port", "9000"] }),
    subjects: ["admin.port"],
    severity: "warning",
    fine: {},
    fineWith: asks("/readyz", 9_901, { args: ["run", "--admin-port", "9000"] }),
  },
  {
    rule: "liveness-asks-readiness",
    bites: {},
    with: runs("deno", "run", "src/main.ts", "probe"),
    subjects: ["admin.port"],
    severity: "warning",
    fine: {},
    fineWith: runs("deno", "run", "src/main.ts", "probe", "--path=/livez"),
  },
  {
    rule: "liveness-asks-readiness",
    bites: {},
    with: runs("weir", "probe", "--path", "/readyz"),
    subjects: ["admin.port"],
    severity: "warning",
    fine: {},
    fineWith: pod({ livenessProbe: { tcpSocket: { port: 9_901 } } }),
  },
  {
    rule: "file-by-subpath",
    bites: {},
    with: mounting({ name: "config", mountPath: "/etc/weir/weir.yaml", subPath: "weir.yaml" }),
    subjects: ["the configuration file"],
    severity: "warning",
    fine: {},
    fineWith: mounting(whole),
  },
  {
    rule: "file-by-subpath",
    bites: certificate,
    with: mounting(whole, { name: "tls", mountPath: "/etc/weir/tls/", subPathExpr: "$(POD)" }),
    subjects: ["listen.tls.certFile", "listen.tls.keyFile"],
    severity: "warning",
    fine: certificate,
    // The folder inside is mounted whole.
    fineWith: mounting({ ...whole, mountPath: "/etc", subPath: "etc" }, whole, {
      name: "tls",
      mountPath: "/etc/weir/tls",
    }),
  },
  {
    rule: "file-by-subpath",
    bites: {
      stickyKeyFile: "/keys/sticky",
      upstreams: { app: { endpoints: [a], tls: { caFile: "/keys/ca.pem" } } },
    },
    with: mounting(whole, { name: "tls", mountPath: "/keys", subPath: "keys" }),
    subjects: ["stickyKeyFile", "upstreams.app.tls.caFile"],
    severity: "warning",
    fine: { stickyKeyFile: "/keys/sticky" },
    // A volume of the node, one that stands nowhere, a folder beside it, and one that a patch mounts whole.
    fineWith: mounting(
      { name: "scratch", mountPath: "/keys/sticky", subPath: "sticky" },
      { name: "elsewhere", mountPath: "/etc/weir/weir.yaml", subPath: "weir.yaml" },
      { name: "tls", mountPath: "/key", subPath: "key" },
      { name: "config", mountPath: "/etc/weir/weir.yaml", subPath: "weir.yaml" },
      { name: "config", mountPath: "/etc/weir/weir.yaml", subPath: "" },
    ),
  },
];
