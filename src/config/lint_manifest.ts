// Lint rules that hold the configuration against the manifests that Weir is deployed by: how a pod leaves, who reaches
// it, what it can read.

import type { LintReport, LintRule } from "./lint_finding.ts";
import {
  type Container,
  frozenBy,
  isProbedAt,
  livenessPaths,
  maySet,
  numberSetBy,
  portsOf,
  sets,
  textSetBy,
} from "./manifest_container.ts";
import { type PodSpec, preStopMs, weirContainers, weirPods } from "./manifest_pods.ts";
import { type Path, valueAt } from "./path.ts";
import type { Config } from "./schema.ts";

/** What Kubernetes gives a pod that says nothing, seconds. */
const GRACE_DEFAULT_S = 30;

const drainBeyondGrace: LintRule = {
  name: "drain-beyond-grace",
  check: ({ drain }, { manifest = [] }) =>
    weirPods(manifest).flatMap((pod): LintReport[] => {
      const written = pod.terminationGracePeriodSeconds ?? null;
      const graceS = written ?? GRACE_DEFAULT_S;
      const { delayMs, deadlineMs } = drainIn(pod, drain);
      const drainMs = preStopMs(pod) + delayMs + deadlineMs;
      if (drainMs < graceS * 1_000) return [];
      return [{
        path: ["drain", "deadlineMs"],
        severity: "error",
        state: `is ${deadlineMs}${deadlineMs === drain.deadlineMs ? "" : " by the manifest"}: ` +
          `draining takes up to ${drainMs} ms, preStop and delay included, but ` +
          `terminationGracePeriodSeconds is ${graceS}` +
          (written === null ? " (the default)" : ""),
        why: "Kubernetes kills the pod before it has drained, and requests in flight are cut.",
        fix: `Set terminationGracePeriodSeconds to ${
          Math.ceil(drainMs / 1_000) + 5
        }, or drain for less time.`,
      }];
    }),
};

const noDrainDelay: LintRule = {
  name: "drain-without-delay",
  check: ({ drain }, { manifest = [] }) =>
    weirPods(manifest).every((pod) => drainIn(pod, drain).delayMs > 0 || preStopMs(pod) > 0) ? [] : [{
      path: ["drain", "delayMs"],
      severity: "warning",
      state: `is 0 ${drain.delayMs > 0 ? "by the manifest, " : ""}in a pod without a preStop sleep`,
      why:
        "Kubernetes takes a pod out of its Service a moment after it told it to stop; requests until then are refused.",
      fix: "Set it to 5000.",
    }],
};

/** The ports, and the flag and variable by which a manifest may set each, whatever the configuration says. */
const PORTS: readonly { readonly path: Path; readonly setBy: readonly [] | readonly [string, string] }[] = [
  { path: ["listen", "port"], setBy: ["--port", "PORT"] },
  { path: ["listen", "tls", "redirectPort"], setBy: [] },
  { path: ["admin", "port"], setBy: ["--admin-port", "ADMIN_PORT"] },
];

const portNotInManifest: LintRule = {
  name: "port-not-in-manifest",
  check: (config, { manifest = [] }) =>
    weirPods(manifest).flatMap((pod): LintReport[] => {
      const containers = weirContainers(pod);
      const ports = containers.flatMap(portsOf);
      if (ports.length === 0) return [];
      return PORTS.flatMap(({ path, setBy }): LintReport[] => {
        const configured = valueAt(config, path);
        const given = setBy.length === 0 ? undefined : numberSetBy(containers, ...setBy);
        const port = given ?? configured;
        if (port === undefined || ports.includes(port as number)) return [];
        if (given === undefined && containers.some((container) => maySet(container, setBy))) return [];
        return [{
          path,
          severity: "warning",
          state: `is ${port}${port === configured ? "" : " by the manifest"}, ` +
            `but the pod's containerPorts are ${ports.join(", ")}`,
          why: "Services and probes that go by the pod's ports reach nobody.",
          fix: "Set it to one of those, or write it there.",
        }];
      });
    }),
};

/** Only who is in the pod reaches these. */
const LOOPBACK = /^(localhost|127\..*|::1)$/i;

const probesMissAdmin: LintRule = {
  name: "probes-miss-admin-host",
  check: ({ admin: { host, port } }, { manifest = [] }) => {
    const missed = weirPods(manifest).flatMap(weirContainers).some((container) =>
      isProbedAt(numberSetBy([container], "--admin-port", "ADMIN_PORT") ?? port, container) &&
      !maySet(container, ["--admin-host", "ADMIN_HOST"])
    );
    return !missed || !LOOPBACK.test(host) ? [] : [{
      path: ["admin", "host"],
      severity: "error",
      state: `is ${host}, and the manifest's probes ask at the pod's address`,
      why: "They reach nobody: the pod never becomes ready, and is restarted again and again.",
      fix: "Remove it, and keep others away from the admin port by a NetworkPolicy.",
    }];
  },
};

const upstreamsInManifest: LintRule = {
  name: "upstreams-in-manifest",
  check: (_config, { origins, manifest = [] }) => {
    // What is told of no file reads none.
    const containers = weirPods(manifest).flatMap(weirContainers).filter((one) =>
      maySet(one, ["--config", "CONFIG"])
    );
    const names = ["UPSTREAMS", "--upstream"].filter((name) => containers.some((one) => sets(one, [name])));
    if (names.length === 0) return [];
    const fromFile = [...origins].some(([path, { kind }]) => kind === "file" && path.startsWith("upstreams"));
    return !fromFile ? [] : [{
      path: ["upstreams"],
      severity: "error",
      state: `stands in the file, and the manifest sets ${names.join(" and ")}`,
      why: "Weir takes upstreams from one of the two: the pods refuse to start.",
      fix: "Remove it from the manifest: the file is read again when it changes.",
    }];
  },
};

const livenessAsksReadiness: LintRule = {
  name: "liveness-asks-readiness",
  check: ({ listen, admin }, { manifest = [] }) =>
    weirPods(manifest).flatMap(weirContainers).flatMap((container): LintReport[] => {
      const ports = {
        admin: numberSetBy([container], "--admin-port", "ADMIN_PORT") ?? admin.port,
        traffic: numberSetBy([container], "--port", "PORT") ?? listen.port,
      };
      const asked = livenessPaths(container, ports).filter(({ at, path }) =>
        at === "admin" ? path === "/readyz" : path === listen.readyPath
      );
      return asked.slice(0, 1).map(({ at, path }) => ({
        path: at === "admin" ? ["admin", "port"] : ["listen", "readyPath"],
        severity: "warning",
        state: `is where the manifest's livenessProbe asks ${path}`,
        why:
          "It fails while a pod waits for a first answer about its endpoints: where DNS or the Kubernetes " +
          "API is down, each new pod is restarted again and again.",
        fix: "Let the livenessProbe ask /livez on the admin port.",
      }));
    }),
};

const fileBySubPath: LintRule = {
  name: "file-by-subpath",
  check: (config, { manifest = [] }) =>
    weirPods(manifest).flatMap((pod) =>
      weirContainers(pod).flatMap((container) =>
        filesOf(config, container).flatMap(({ file, path, subject }): LintReport[] => {
          const kind = frozenBy(file, container, pod.volumes);
          if (kind === null) return [];
          return [{
            path,
            ...(subject === undefined ? {} : { subject }),
            severity: "warning",
            state: `is ${file}, which the manifest mounts from a ${kind} by subPath`,
            why:
              "Kubernetes never changes what is mounted so: what is written there anew reaches new pods only.",
            fix: "Mount the whole volume as a folder, without subPath.",
          }];
        })
      )
    ),
};

/** A file that Weir reads again when it changes. */
interface WatchedFile {
  readonly file: string;
  readonly path: Path;
  /** In place of the path's key. */
  readonly subject?: string;
}

/** Those of a container. */
function filesOf(config: Config, container: Container): WatchedFile[] {
  const named: readonly Path[] = [
    ["listen", "tls", "certFile"],
    ["listen", "tls", "keyFile"],
    ["stickyKeyFile"],
    ...Object.keys(config.upstreams).flatMap((name) =>
      ["caFile", "certFile", "keyFile"].map((key) => ["upstreams", name, "tls", key])
    ),
  ];
  const files = named.flatMap((path) => {
    const file = valueAt(config, path);
    return typeof file === "string" ? [{ file, path }] : [];
  });
  const own = textSetBy([container], "--config", "CONFIG");
  return own === undefined ? files : [{ file: own, path: [], subject: "the configuration file" }, ...files];
}

export const manifestRules: readonly LintRule[] = [
  drainBeyondGrace,
  noDrainDelay,
  portNotInManifest,
  probesMissAdmin,
  upstreamsInManifest,
  livenessAsksReadiness,
  fileBySubPath,
];

/** How Weir drains in this pod: as its flags and variables say, then as the configuration does. */
function drainIn(pod: PodSpec, { delayMs, deadlineMs }: Config["drain"]): Config["drain"] {
  const containers = weirContainers(pod);
  return {
    delayMs: numberSetBy(containers, "--drain-delay-ms", "DRAIN_DELAY_MS") ?? delayMs,
    deadlineMs: numberSetBy(containers, "--drain-deadline-ms", "DRAIN_DEADLINE_MS") ?? deadlineMs,
  };
}
