// Lint rules about what Weir's containers can read.

import { a, type LintRow, weirPod as pod } from "./row.ts";

/** A container that reads this file, where its mounts are from a ConfigMap `config` and a Secret `tls`. */
const mounting = (...mounts: object[]) =>
  pod({ env: [{ name: "CONFIG", value: "/etc/weir/weir.yaml" }], volumeMounts: mounts }, {
    volumes: [{ name: "config", configMap: { name: "weir" } }, { name: "tls", secret: {} }, {
      name: "scratch",
      emptyDir: {},
    }],
  });
/** A certificate that is mounted by subPath from this volume, in a pod with these annotations. */
const rolled = (annotations: object, volume: object) => {
  const volumeMounts = [{ name: "tls", mountPath: "/etc/weir/tls", subPath: "tls" }];
  const spec = { containers: [{ name: "weir", volumeMounts }], volumes: [volume] };
  return { manifest: [{ kind: "Deployment", spec: { template: { metadata: { annotations }, spec } } }] };
};
const whole = { name: "config", mountPath: "/etc/weir" };
const certificate = {
  listen: { tls: { certFile: "/etc/weir/tls/tls.crt", keyFile: "/etc/weir/tls/tls.key" } },
};

export const manifestFileRows: readonly LintRow[] = [
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
  {
    rule: "file-by-subpath",
    bites: { listen: { tls: { certFile: "tls/tls.crt", keyFile: "/etc/../weir/./tls//tls.key" } } },
    with: mounting({ name: "tls", mountPath: "weir//tls/", subPath: "tls" }),
    subjects: ["listen.tls.certFile", "listen.tls.keyFile"],
    severity: "warning",
    fine: { listen: { tls: { certFile: "tls/tls.crt", keyFile: "tls/tls.key" } } },
    // From another folder, and of all that the volume has.
    fineWith: pod({
      workingDir: "/opt/weir",
      volumeMounts: [{ name: "tls", mountPath: "/weir/tls", subPath: "tls" }, {
        name: "tls",
        mountPath: "/opt/weir",
        subPath: "./",
      }],
    }, { volumes: [{ name: "tls", secret: {} }] }),
  },
  {
    rule: "file-by-subpath",
    bites: certificate,
    with: pod({ volumeMounts: [{ name: "tls", mountPath: "/etc/weir/tls", subPath: "tls" }] }, {
      volumes: [{ name: "tls", csi: { driver: "secrets-store.csi.k8s.io" } }],
    }),
    subjects: ["listen.tls.certFile", "listen.tls.keyFile"],
    severity: "warning",
    fine: certificate,
    // A file system like any other.
    fineWith: pod({ volumeMounts: [{ name: "tls", mountPath: "/etc/weir/tls", subPath: "tls" }] }, {
      volumes: [{ name: "tls", csi: { driver: "efs.csi.aws.com" } }],
    }),
  },
  {
    rule: "file-by-subpath",
    bites: certificate,
    // Helm knows of no change of a Secret that cert-manager writes.
    with: rolled({ "checksum/config": "0" }, { name: "tls", secret: { secretName: "weir-tls" } }),
    subjects: ["listen.tls.certFile", "listen.tls.keyFile"],
    severity: "warning",
    fine: certificate,
    fineWith: {
      manifest: [
        ...rolled({ "checksum/config": "0" }, { name: "tls", configMap: { name: "weir" } }).manifest,
        ...rolled({ "secret.reloader.stakater.com/reload": "weir-tls" }, { name: "tls", secret: {} })
          .manifest,
        ...rolled({}, { name: "tls", configMap: { name: "weir-7m8fhc2t5k" } }).manifest,
      ],
    },
  },
  {
    rule: "file-by-subpath",
    bites: {},
    with: pod({
      command: ["deno", "run", "--config", "/etc/deno/deno.json", "src/main.ts", "run"],
      args: ["--config=/etc/weir/weir.yaml"],
      volumeMounts: [{ name: "config", mountPath: "/etc/weir/weir.yaml", subPath: "weir.yaml" }],
    }, { volumes: [{ name: "config", configMap: {} }] }),
    subjects: ["the configuration file"],
    severity: "warning",
    fine: { stickyKeyFile: "/keys/sticky" },
    // Deno's own file, and a key that a variable takes the place of.
    fineWith: pod({
      command: ["deno", "run", "--config", "/keys/deno.json", "src/main.ts", "run"],
      env: [{ name: "WEIR_STICKY_KEY", valueFrom: {} }],
      volumeMounts: [{ name: "keys", mountPath: "/keys", subPath: "keys" }],
    }, { volumes: [{ name: "keys", secret: {} }] }),
  },
];
