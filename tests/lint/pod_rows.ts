// Lint rules about the pod as a whole, with manifests and without.

import { a, b, type LintRow } from "./row.ts";

const pod = (spec: object) => ({
  manifest: [
    { kind: "Service", spec: { ports: [] } },
    { kind: "Deployment", spec: { template: { spec: { containers: [{ name: "weir" }], ...spec } } } },
  ],
});
const sleep = { lifecycle: { preStop: { sleep: { seconds: 10 } } } };
const sleeping = { containers: [{ name: "weir", ...sleep }] };
const withVariable = (name: string, value: string) => ({
  containers: [{ name: "weir", env: [{ name, value }] }],
});
/** A container with it reads the file. */
const reads = { name: "CONFIG", value: "/etc/weir/weir.yaml" };
const withSleepingSidecar = { containers: [{ name: "weir" }, { name: "mesh", ...sleep }] };
/** Weir's pod with these ports, and whatever else its container has. */
const podWithPorts = (ports: readonly number[], more: object = {}, sidecar: object = {}) =>
  pod({
    terminationGracePeriodSeconds: 40,
    containers: [
      { name: "weir", ports: ports.map((containerPort) => ({ containerPort })), ...more },
      { name: "app", ...sidecar },
    ],
  });

export const podRows: readonly LintRow[] = [
  {
    rule: "trusted-proxies-open",
    bites: { trustedProxies: ["10.0.0.0/8", "0.0.0.0/0", "::/0"] },
    subjects: ["trustedProxies[1]", "trustedProxies[2]"],
    severity: "warning",
    fine: { trustedProxies: ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::1"] },
  },
  {
    rule: "trusted-proxies-open",
    bites: { trustedProxies: ["fd00::/6", "fe80::/9", "fec0::/10", "fd::/8", "2000::/15", "10.0.0.0/7"] },
    subjects: [0, 1, 2, 3, 4, 5].map((i) => `trustedProxies[${i}]`),
    severity: "warning",
    fine: { trustedProxies: ["fd00::/8", "FC00::/7", "fe80::/10", "2000::/16"] },
  },
  {
    rule: "trusted-proxies-wider",
    bites: { trustedProxies: ["10.1.2.3/8", "10.1.2.3/31", "2001:db8:0:1::/47", "fd00::1/64", "10.0.0.0/8"] },
    subjects: [0, 1, 2, 3].map((i) => `trustedProxies[${i}]`),
    severity: "warning",
    fine: {
      trustedProxies: ["10.1.2.3", "10.1.2.3/32", "10.1.2.2/31", "::/0", "FD00:0::/64", "2001:db8:2::/47"],
    },
  },
  {
    rule: "proxy-protocol-from-nobody",
    bites: { listen: { listener: "wire", proxyProtocol: true } },
    subjects: ["listen.proxyProtocol"],
    severity: "error",
    fine: { listen: { listener: "wire", proxyProtocol: true }, trustedProxies: ["10.0.0.0/8"] },
  },
  {
    rule: "wire-key-on-serve",
    bites: { listen: { headReadMs: 5_000 } },
    subjects: ["listen.headReadMs"],
    severity: "warning",
    fine: { listen: { headReadMs: 5_000, listener: "wire" } },
  },
  {
    rule: "redirect-port-missing",
    bites: { listen: { tls: { certFile: "c", keyFile: "k", redirectToPort: 8_443 } } },
    subjects: ["listen.tls.redirectToPort"],
    severity: "warning",
    fine: { listen: { tls: { certFile: "c", keyFile: "k", redirectToPort: 8_443, redirectPort: 8_080 } } },
  },
  {
    rule: "drain-beyond-grace",
    bites: { drain: { delayMs: 5_000, deadlineMs: 25_000 } },
    with: pod({}),
    subjects: ["drain.deadlineMs"],
    severity: "error",
    fine: { drain: { delayMs: 5_000, deadlineMs: 25_000 } },
    fineWith: pod({ terminationGracePeriodSeconds: 35 }),
  },
  {
    rule: "drain-beyond-grace",
    bites: { drain: { delayMs: 5_000, deadlineMs: 25_000 } },
    with: pod({ terminationGracePeriodSeconds: 40, ...sleeping }),
    subjects: ["drain.deadlineMs"],
    severity: "error",
    fine: { drain: { delayMs: 5_000, deadlineMs: 24_000 } },
    fineWith: pod({ terminationGracePeriodSeconds: 40, ...sleeping }),
  },
  {
    rule: "drain-without-delay",
    bites: { drain: { delayMs: 0, deadlineMs: 10_000 } },
    with: pod({}),
    subjects: ["drain.delayMs"],
    severity: "warning",
    fine: { drain: { delayMs: 0, deadlineMs: 10_000 } },
    fineWith: pod(sleeping),
  },
  {
    rule: "drain-beyond-grace",
    bites: { drain: { delayMs: 5_000, deadlineMs: 25_000 } },
    with: pod({ terminationGracePeriodSeconds: 40, ...withVariable("DRAIN_DEADLINE_MS", "35000") }),
    subjects: ["drain.deadlineMs"],
    severity: "error",
    fine: { drain: { delayMs: 5_000, deadlineMs: 34_999 } },
    fineWith: pod({ terminationGracePeriodSeconds: 40, ...withSleepingSidecar }),
  },
  {
    rule: "drain-beyond-grace",
    bites: { drain: { delayMs: 5_000, deadlineMs: 25_000 } },
    with: pod({
      terminationGracePeriodSeconds: 40,
      containers: [{ name: "weir", args: ["run", "--drain-delay-ms", "15000"], env: null }],
    }),
    subjects: ["drain.deadlineMs"],
    severity: "error",
    fine: { drain: { delayMs: 5_000, deadlineMs: 60_000 } },
    fineWith: pod({
      terminationGracePeriodSeconds: 40,
      containers: [{
        name: "weir",
        args: ["run", "--drain-deadline-ms=34999"],
        env: [{ name: "DRAIN_DEADLINE_MS", value: "90000" }],
      }],
    }),
  },
  {
    rule: "drain-without-delay",
    bites: { drain: { delayMs: 0, deadlineMs: 10_000 } },
    with: pod(withSleepingSidecar),
    subjects: ["drain.delayMs"],
    severity: "warning",
    fine: { drain: { delayMs: 0, deadlineMs: 10_000 } },
    fineWith: pod(withVariable("DRAIN_DELAY_MS", "5000")),
  },
  {
    rule: "drain-without-delay",
    bites: { drain: { delayMs: 5_000, deadlineMs: 10_000 } },
    with: pod(withVariable("DRAIN_DELAY_MS", "0")),
    subjects: ["drain.delayMs"],
    severity: "warning",
    fine: { drain: { delayMs: 5_000, deadlineMs: 10_000 } },
    fineWith: pod({ containers: [{ name: "weir", env: [{ name: "DRAIN_DELAY_MS", valueFrom: {} }] }] }),
  },
  {
    rule: "port-not-in-manifest",
    bites: {
      listen: { port: 8_443, tls: { certFile: "c.pem", keyFile: "k.pem", redirectPort: 8_080 } },
      admin: { port: 9_902 },
    },
    with: podWithPorts([3_000, 9_901]),
    subjects: ["listen.port", "listen.tls.redirectPort", "admin.port"],
    severity: "warning",
    fine: { listen: { port: 8_443 }, admin: { port: 9_902 } },
    fineWith: podWithPorts([8_443, 9_902]),
  },
  {
    rule: "port-not-in-manifest",
    bites: { listen: { port: 8_080 }, admin: { port: 8_081 } },
    with: podWithPorts([3_000], { env: [{ name: "PORT", value: "3000" }] }),
    subjects: ["admin.port"],
    severity: "warning",
    fine: { listen: { port: 8_080 }, admin: { port: 8_081 } },
    fineWith: podWithPorts([3_000, 3_001], { args: ["run", "--port=3000", "--admin-port", "3001"] }),
  },
  {
    rule: "port-not-in-manifest",
    bites: { listen: { port: 8_080 }, admin: { port: 3_001 } },
    with: podWithPorts([3_000], {}, {
      env: [{ name: "ADMIN_PORT", value: "3001" }],
      ports: [{ containerPort: 8_080 }],
    }),
    subjects: ["listen.port", "admin.port"],
    severity: "warning",
    fine: { listen: { port: 8_080 }, admin: { port: 3_001 } },
    fineWith: podWithPorts([3_000], { envFrom: [{ configMapRef: { name: "weir" } }] }),
  },
  {
    rule: "port-not-in-manifest",
    bites: {},
    with: podWithPorts([8_080, 9_901], { command: ["deno", "run", "src/main.ts"] }),
    subjects: ["listen.port"],
    severity: "warning",
    fine: {},
    fineWith: podWithPorts([8_080, 9_901], { command: ["deno", "run", "src/main.ts", "--port", "8080"] }),
  },
  {
    rule: "port-not-in-manifest",
    bites: {},
    with: podWithPorts([8_080, 9_901]),
    subjects: ["listen.port"],
    severity: "warning",
    fine: {},
    fineWith: podWithPorts([], {}, { ports: [{ containerPort: 8_080 }] }),
  },
  {
    rule: "probes-miss-admin-host",
    bites: { admin: { host: "127.0.0.1" } },
    with: pod({
      containers: [{ name: "weir", livenessProbe: { httpGet: { path: "/livez", port: "admin" } } }],
    }),
    subjects: ["admin.host"],
    severity: "error",
    fine: { admin: { host: "127.0.0.1" } },
    fineWith: pod({
      containers: [
        { name: "weir", readinessProbe: { httpGet: { host: "127.0.0.1", port: 9_901 } }, startupProbe: null },
        { name: "app", readinessProbe: { tcpSocket: { port: 80 } } },
      ],
    }),
  },
  {
    rule: "probes-miss-admin-host",
    bites: { admin: { host: "localhost" } },
    with: pod({ containers: [{ name: "weir", startupProbe: { tcpSocket: { port: "admin" } } }] }),
    subjects: ["admin.host"],
    severity: "error",
    fine: { admin: { host: "::1" } },
    fineWith: pod({
      containers: [{
        name: "weir",
        startupProbe: { tcpSocket: {} },
        env: [{ name: "ADMIN_HOST", value: "::" }],
      }],
    }),
  },
  {
    rule: "probes-miss-admin-host",
    bites: { admin: { host: "::1" } },
    with: pod({ containers: [{ name: "weir", readinessProbe: { httpGet: {} } }] }),
    subjects: ["admin.host"],
    severity: "error",
    fine: { admin: { host: "10.0.0.1" } },
    fineWith: pod({ containers: [{ name: "weir", readinessProbe: { httpGet: {} } }] }),
  },
  {
    rule: "probes-miss-admin-host",
    bites: { admin: { host: "127.0.0.1", port: 9_900 } },
    with: podWithPorts([], {
      ports: [{ name: "asked", containerPort: 9_902 }],
      args: ["--admin-port", "9902"],
      readinessProbe: { httpGet: { port: "asked" } },
    }),
    subjects: ["admin.host"],
    severity: "error",
    fine: { admin: { host: "127.0.0.1" } },
    fineWith: podWithPorts([], {
      ports: [{ name: "http", containerPort: 3_000 }, { name: "admin", containerPort: 9_901 }],
      startupProbe: { tcpSocket: { port: 3_000 } },
      readinessProbe: { tcpSocket: { port: "http" } },
      livenessProbe: { exec: { command: ["weir", "probe"] } },
    }),
  },
  {
    rule: "upstreams-in-manifest",
    bites: { upstreams: { api: { endpoints: [a] } } },
    with: pod({ containers: [{ name: "weir", env: [reads, { name: "UPSTREAMS", value: b }] }] }),
    subjects: ["upstreams"],
    severity: "error",
    fine: { upstreams: { api: { endpoints: [a] } } },
    fineWith: pod({
      containers: [
        { name: "weir", env: [reads, { name: "UPSTREAMS_OLD", value: b }], envFrom: [{}] },
        { name: "app", env: [reads, { name: "UPSTREAMS", value: b }] },
      ],
    }),
  },
  {
    rule: "upstreams-in-manifest",
    bites: { upstreams: { api: { endpoints: [a] } } },
    with: pod({ containers: [{ name: "weir", args: ["run", "--config", "weir.yaml", "--upstream", b] }] }),
    subjects: ["upstreams"],
    severity: "error",
    fine: { listen: { port: 80 } },
    fineWith: pod({ containers: [{ name: "weir", env: [reads, { name: "UPSTREAMS", value: b }] }] }),
  },
  {
    rule: "upstreams-in-manifest",
    bites: { upstreams: { api: { endpoints: [a] } } },
    with: pod({ containers: [{ name: "weir", envFrom: [{}], env: [{ name: "UPSTREAMS", valueFrom: {} }] }] }),
    subjects: ["upstreams"],
    severity: "error",
    fine: { upstreams: { api: { endpoints: [a] } } },
    // Another Weir that reads no file, and one for which a patch takes the variable back.
    fineWith: {
      manifest: [
        { kind: "Pod", spec: { containers: [{ name: "weir", env: [{ name: "UPSTREAMS", value: b }] }] } },
        ...[b, ""].map((value) => ({
          kind: "Pod",
          metadata: { name: "edge" },
          spec: { containers: [{ name: "weir", env: [reads, { name: "UPSTREAMS", value }] }] },
        })),
      ],
    },
  },
];
