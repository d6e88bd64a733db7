// Lint rules about what the probes of the manifests ask Weir for, and what that says of it.

import type { LintReport, LintRule } from "./lint_finding.ts";
import { type Container, maySet } from "./manifest_container.ts";
import { weirContainers, weirPods } from "./manifest_pods.ts";
import { type Ask, askOf, isProbedAtAdmin, patienceS, type ProbeName } from "./manifest_probe.ts";
import type { Path } from "./path.ts";
import type { Config } from "./schema.ts";

/** Only who is in the pod reaches these. */
const LOOPBACK = /^(localhost|127\..*|::1)$/i;

const probesMissAdmin: LintRule = {
  name: "probes-miss-admin-host",
  check: (config, { manifest = [] }) => {
    const { host } = config.admin;
    const missed = weirPods(manifest).flatMap(weirContainers).some((container) =>
      isProbedAtAdmin(container, config) && !maySet(container, ["--admin-host", "ADMIN_HOST"])
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

/** What a start waits for first answers about endpoints at most, where an API server takes connections and is silent. */
const START_WAIT_S = 30;

const livenessAsksReadiness: LintRule = {
  name: "liveness-asks-readiness",
  check: (config, { manifest = [] }) =>
    !discovers(config) ? [] : weirPods(manifest).flatMap(weirContainers).flatMap((container) => {
      // Until a startupProbe has passed no other is asked.
      if (passesOnceServing("startupProbe", container, config) !== false) return [];
      return restartsTooSoon(
        "livenessProbe",
        container,
        config,
        "Let the livenessProbe ask /livez on the admin port.",
      );
    }),
};

const startupGivesUp: LintRule = {
  name: "startup-gives-up",
  check: (config, { manifest = [] }) =>
    !discovers(config)
      ? []
      : weirPods(manifest).flatMap(weirContainers).flatMap((container) =>
        restartsTooSoon(
          "startupProbe",
          container,
          config,
          "Give it 60 s: periodSeconds 1 and failureThreshold 60.",
        )
      ),
};

/** Whether a start may wait for who knows the endpoints: DNS, the Kubernetes API. */
function discovers({ upstreams }: Config): boolean {
  return Object.values(upstreams).flatMap(({ endpoints }) => endpoints).some((endpoint) =>
    /^(dns\+|k8s:)/i.test(typeof endpoint === "string" ? endpoint : endpoint.url)
  );
}

function restartsTooSoon(probe: ProbeName, container: Container, config: Config, fix: string): LintReport[] {
  const ask = askOf(probe, container, config);
  const seconds = patienceS(probe, container);
  if (ask === null || !tellsReadiness(ask, config) || seconds === undefined) return [];
  if (seconds > START_WAIT_S) return [];
  return [{
    path: keyOf(ask),
    severity: "warning",
    state: `is where the manifest's ${probe} asks ${ask.target}, for ${seconds} s`,
    why: `It fails while a pod waits for a first answer about its endpoints, ${START_WAIT_S} s at most: ` +
      "where DNS or the Kubernetes API is down, each new pod is restarted again and again.",
    fix,
  }];
}

/** The key of where it asks. */
function keyOf({ at }: Ask): Path {
  return [at === "admin" ? "admin" : "listen", "port"];
}

/** Whether the answer is no until Weir serves. */
function tellsReadiness(ask: Ask, { listen }: Config): boolean {
  if (ask.at === "traffic") return ask.target === listen.readyPath;
  return ["/readyz", "/startupz"].includes(pathOf(ask));
}

function pathOf({ target }: Ask): string {
  return target?.split("?")[0] ?? "";
}

/** Those that the admin server answers well as soon as it listens, before traffic is served. */
const EARLY = ["/livez", "/", "/metrics", "/status", "/config"];

/** Whether a probe passes only when Weir serves; null where that cannot be told. */
function passesOnceServing(probe: ProbeName, container: Container, config: Config): boolean | null {
  if (container[probe] == null) return false;
  const ask = askOf(probe, container, config);
  if (ask === null) return null;
  if (ask.at === "traffic" || tellsReadiness(ask, config)) return true;
  return ask.target === null || EARLY.includes(pathOf(ask)) ? false : null;
}

export const manifestProbeRules: readonly LintRule[] = [
  probesMissAdmin,
  livenessAsksReadiness,
  startupGivesUp,
];
