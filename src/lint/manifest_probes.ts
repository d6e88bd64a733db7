// Lint rules about what the probes of the manifests ask Weir for, and what that says of it.

import type { Path } from "../config/path.ts";
import type { Config } from "../config/schema.ts";
import { routesInForce } from "../routing/default_route.ts";
import { makeRouter } from "../routing/router.ts";
import type { LintReport, LintRule } from "./finding.ts";
import { type Container, maySet } from "./manifest_container.ts";
import { isRolledOut, knownContainers, knownPods, weirContainers, weirPods } from "./manifest_pods.ts";
import { type Ask, askOf, isProbedAtAdmin, patienceS, type ProbeName, PROBES } from "./manifest_probe.ts";
import { textOf } from "./manifest_value.ts";
import { snapshotsOf } from "./routes.ts";

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

const livenessAsksReadiness: LintRule = {
  name: "liveness-asks-readiness",
  check: (config, { manifest = [] }) =>
    knownPods(manifest).flatMap(knownContainers).flatMap((container) => {
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
    knownPods(manifest).flatMap(knownContainers).flatMap((container) =>
      restartsTooSoon(
        "startupProbe",
        container,
        config,
        "Give it 60 s: periodSeconds 1 and failureThreshold 60.",
      )
    ),
};

/** What the Kubernetes API has for an answer. */
const KUBERNETES_WAIT_S = 30;
/** For how long a name is asked for again, before it is asked for the last time. */
const DNS_WAIT_S = 10;

/** Seconds for which a start may wait for who knows the endpoints; 0 where they are known. */
function startWaitS({ upstreams }: Config): number {
  const waits = Object.values(upstreams).flatMap(({ endpoints, discovery: { timeoutMs } }) =>
    endpoints.map((endpoint) => typeof endpoint === "string" ? endpoint : endpoint.url).map((url) =>
      /^k8s:/i.test(url) ? KUBERNETES_WAIT_S : /^dns\+/i.test(url) ? DNS_WAIT_S + timeoutMs / 1_000 : 0
    )
  );
  return Math.max(0, ...waits);
}

function restartsTooSoon(probe: ProbeName, container: Container, config: Config, fix: string): LintReport[] {
  const ask = askOf(probe, container, config);
  const seconds = patienceS(probe, container);
  const waitS = startWaitS(config);
  if (ask === null || !failsBefore(ask) || seconds === undefined || waitS === 0 || seconds > waitS) return [];
  return [{
    path: keyOf(ask),
    severity: "warning",
    state: `is where the manifest's ${probe} ${wordsOf(ask)}, for ${seconds} s`,
    why: `It fails while a pod waits for a first answer about its endpoints, ${waitS} s at most: ` +
      "where DNS or the Kubernetes API is down, each new pod is restarted again and again.",
    fix,
  }];
}

const readyBeforeServing: LintRule = {
  name: "ready-before-serving",
  check: (config, { manifest = [] }) =>
    knownPods(manifest).filter(isRolledOut).flatMap(knownContainers).flatMap((container): LintReport[] => {
      // Of what has no image there is more elsewhere. No container is ready before its startupProbe has passed.
      if (textOf(container.image) === "") return [];
      const passesEarly = (["startupProbe", "readinessProbe"] as const).every((probe) =>
        passesOnceServing(probe, container, config) === false
      );
      const ask = askOf("readinessProbe", container, config);
      return !passesEarly ? [] : [{
        path: ["admin", "port"],
        severity: "warning",
        state: ask === null
          ? "is asked by no readinessProbe of the manifest"
          : `is where the manifest's readinessProbe ${wordsOf(ask)}`,
        why:
          "A new pod counts as ready before it listens for traffic: at each rollout requests are refused, for " +
          "longer while DNS or the Kubernetes API is slow to answer.",
        fix: "Let the readinessProbe ask /readyz on the admin port.",
      }];
    }),
};

const probeAsksUpstream: LintRule = {
  name: "probe-asks-upstream",
  check: (config, { manifest = [] }) =>
    knownPods(manifest).flatMap(knownContainers).flatMap((container) =>
      PROBES.flatMap((probe): LintReport[] => {
        const ask = askOf(probe, container, config);
        const upstreams = ask === null ? [] : upstreamsAsked(ask, config);
        return upstreams.length === 0 ? [] : [{
          path: keyOf(ask!),
          severity: "warning",
          state: `is where the manifest's ${probe} asks ${ask!.target}, which goes to ${
            upstreams.join(" or ")
          }`,
          why: `While endpoints there are down, slow or busy, ${HARM[probe]}, whatever else they serve.`,
          fix: `Let it ask ${OWN_PAGE[probe]} on the admin port.`,
        }];
      })
    ),
};

/** What a probe that fails in all pods does to them. */
const HARM: Readonly<Record<ProbeName, string>> = {
  startupProbe: "new pods are restarted again and again",
  readinessProbe: "all pods leave their Service at once",
  livenessProbe: "all pods are restarted again and again",
};
const OWN_PAGE: Readonly<Record<ProbeName, string>> = {
  startupProbe: "/startupz",
  readinessProbe: "/readyz",
  livenessProbe: "/livez",
};

/** The upstreams of the route that a probe's request takes. */
function upstreamsAsked({ at, target, scheme, headers }: Ask, config: Config): string[] {
  const { readyPath, port, tls } = config.listen;
  if (at !== "traffic" || target === null || target === readyPath) return [];
  // Another scheme than the listener's reaches no route.
  if ((scheme === "https") !== (tls !== undefined)) return [];
  const host = headers.find(([name]) => name === "host")?.[1];
  const match = makeRouter(snapshotsOf(routesInForce(config))).match({
    method: "GET",
    target,
    // The pod's address, which no route names.
    authority: host ?? `192.0.2.1:${port}`,
    scheme,
    version: "1.1",
    headers: [["user-agent", "kube-probe/1.30"], ["accept", "*/*"], ...headers].flat(),
  });
  if (match.kind !== "route") return [];
  const { upstream, split } = match.route;
  return upstream !== undefined ? [upstream] : (split ?? []).map((side) => side.upstream);
}

/** The key of where it asks. */
function keyOf({ at }: Ask): Path {
  return [at === "admin" ? "admin" : "listen", "port"];
}

function wordsOf({ target }: Ask): string {
  return target === null ? "connects" : `asks ${target}`;
}

/** Whether it fails until Weir serves: nobody listens for traffic before. */
function failsBefore(ask: Ask): boolean {
  return ask.at === "traffic" || ["/readyz", "/startupz"].includes(pathOf(ask));
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
  if (failsBefore(ask)) return true;
  return ask.target === null || EARLY.includes(pathOf(ask)) ? false : null;
}

export const manifestProbeRules: readonly LintRule[] = [
  probesMissAdmin,
  livenessAsksReadiness,
  startupGivesUp,
  readyBeforeServing,
  probeAsksUpstream,
];
