// Lint rules that hold the configuration against the manifests that Weir is deployed by: how a pod leaves, which ports
// it has. What it is asked stands in `manifest_probes.ts`, what it can read in `manifest_files.ts`.

import { type Path, valueAt } from "../config/path.ts";
import type { Config } from "../config/schema.ts";
import type { LintReport, LintRule } from "./finding.ts";
import { maySet, numberSetBy, portsOf, sets } from "./manifest_container.ts";
import { type PodSpec, preStopMs, weirContainers, weirPods } from "./manifest_pods.ts";
import { numberOf } from "./manifest_value.ts";

/** What Kubernetes gives a pod that says nothing, seconds. */
const GRACE_DEFAULT_S = 30;

const drainBeyondGrace: LintRule = {
  name: "drain-beyond-grace",
  check: ({ drain }, { manifest = [] }) =>
    weirPods(manifest).flatMap((pod): LintReport[] => {
      const written = pod.terminationGracePeriodSeconds ?? null;
      const graceS = numberOf(written ?? GRACE_DEFAULT_S);
      if (graceS === undefined) return [];
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
      if (ports.length === 0 || ports.some(Number.isNaN)) return [];
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

export const manifestRules: readonly LintRule[] = [
  drainBeyondGrace,
  noDrainDelay,
  portNotInManifest,
  upstreamsInManifest,
];

/** How Weir drains in this pod: as its flags and variables say, then as the configuration does. */
function drainIn(pod: PodSpec, { delayMs, deadlineMs }: Config["drain"]): Config["drain"] {
  const containers = weirContainers(pod);
  return {
    delayMs: numberSetBy(containers, "--drain-delay-ms", "DRAIN_DELAY_MS") ?? delayMs,
    deadlineMs: numberSetBy(containers, "--drain-deadline-ms", "DRAIN_DEADLINE_MS") ?? deadlineMs,
  };
}
