// Lint rules about probes that pass before Weir serves, or by what its endpoints answer.

import { a, type LintRow, weirPod as pod } from "./row.ts";

/** A whole Deployment. */
const rolled = (container: object) => ({
  manifest: [{
    kind: "Deployment",
    metadata: { name: "weir" },
    spec: {
      selector: {},
      template: { spec: { containers: [{ name: "weir", image: "weir:1", ...container }] } },
    },
  }],
});
/** Weir answers one path itself. */
const healthRoutes = [{ match: { path: "/healthz" }, respond: { status: 200 } }, {
  match: { path: "/*" },
  upstream: "app",
}];
const tls = { listen: { tls: { certFile: "c", keyFile: "k" } } };

export const manifestServingRows: readonly LintRow[] = [
  {
    rule: "ready-before-serving",
    bites: {},
    with: rolled({}),
    subjects: ["admin.port"],
    severity: "warning",
    fine: {},
    fineWith: rolled({ readinessProbe: { httpGet: { path: "/readyz", port: 9_901 } } }),
  },
  {
    rule: "ready-before-serving",
    bites: {},
    with: rolled({ readinessProbe: { httpGet: { path: "/livez", port: 9_901 } } }),
    subjects: ["admin.port"],
    severity: "warning",
    fine: {},
    // Whatever a connection to the traffic port gets, somebody listens.
    fineWith: rolled({ readinessProbe: { tcpSocket: { port: 3_000 } } }),
  },
  {
    rule: "ready-before-serving",
    bites: {},
    with: rolled({
      startupProbe: { tcpSocket: { port: 9_901 } },
      readinessProbe: { exec: { command: ["weir", "probe", "--path=/livez"] } },
    }),
    subjects: ["admin.port"],
    severity: "warning",
    fine: {},
    fineWith: rolled({
      startupProbe: { httpGet: { path: "/startupz", port: 9_901 } },
      readinessProbe: { httpGet: { path: "/livez", port: 9_901 } },
    }),
  },
  {
    rule: "ready-before-serving",
    bites: {},
    with: {
      manifest: [
        ...rolled({ readinessProbe: { httpGet: { path: "/readyz", port: 9_901 } } }).manifest,
        {
          kind: "Deployment",
          metadata: { name: "weir" },
          spec: { template: { spec: { containers: [{ name: "weir", readinessProbe: null }] } } },
        },
      ],
    },
    subjects: ["admin.port"],
    severity: "warning",
    fine: {},
    // A program that cannot be known, one that is not Weir, a patch, and a pod that nothing rolls out.
    fineWith: {
      manifest: [
        ...rolled({ readinessProbe: { exec: { command: ["/bin/ready"] } } }).manifest,
        { ...rolled({ name: "app", image: "app:1" }).manifest[0], metadata: { name: "app" } },
        {
          kind: "Deployment",
          metadata: { name: "b" },
          spec: { template: { spec: { containers: [{ name: "weir", image: "weir:1" }] } } },
        },
        ...pod({ image: "weir:1" }).manifest,
      ],
    },
  },
  {
    rule: "probe-asks-upstream",
    bites: { upstreams: { app: { endpoints: [a] } } },
    with: pod({
      ports: [{ name: "http", containerPort: 3_000 }],
      startupProbe: { exec: { command: ["sh", "-c", "curl -fs http://localhost:3000/ok"] } },
      readinessProbe: { httpGet: { path: "/", port: "http" } },
      livenessProbe: { httpGet: { port: 3_000 } },
    }),
    subjects: ["listen.port", "listen.port", "listen.port"],
    severity: "warning",
    fine: { upstreams: { app: { endpoints: [a] } }, listen: { readyPath: "/ready" } },
    // Another port, Weir's own answer, a connection, and another scheme than the listener's.
    fineWith: pod({
      startupProbe: { httpGet: { path: "/", port: 9_901 } },
      readinessProbe: { httpGet: { path: "/ready", port: 3_000 } },
      livenessProbe: { tcpSocket: { port: 3_000 } },
    }),
  },
  {
    rule: "probe-asks-upstream",
    bites: { upstreams: { app: { endpoints: [a] } }, routes: healthRoutes },
    with: pod({ livenessProbe: { httpGet: { path: "/healthz/deep", port: 3_000 } } }),
    subjects: ["listen.port"],
    severity: "warning",
    fine: { upstreams: { app: { endpoints: [a] } }, routes: healthRoutes },
    fineWith: pod({ livenessProbe: { httpGet: { path: "/healthz", port: 3_000 } } }),
  },
  {
    rule: "probe-asks-upstream",
    bites: {
      upstreams: { app: { endpoints: [a] } },
      routes: [{ match: { host: "a.org" }, upstream: "app" }],
      ...tls,
    },
    with: pod({
      readinessProbe: {
        httpGet: { port: 3_000, scheme: "HTTPS", httpHeaders: [{ name: "Host", value: "a.org" }, null] },
      },
    }),
    subjects: ["listen.port"],
    severity: "warning",
    fine: { upstreams: { app: { endpoints: [a] } }, ...tls },
    fineWith: pod({ readinessProbe: { httpGet: { port: 3_000 } } }),
  },
  {
    rule: "probe-asks-upstream",
    bites: { upstreams: { app: { endpoints: [a] } } },
    with: pod({ name: "lb", livenessProbe: { httpGet: { port: 3_000 } } }),
    subjects: ["listen.port"],
    severity: "warning",
    fine: { upstreams: { app: { endpoints: [a] } } },
    // Which of the two is Weir cannot be told.
    fineWith: pod({}, {
      containers: [{ name: "app", livenessProbe: { httpGet: { port: 3_000 } } }, { name: "lb" }],
    }),
  },
];
