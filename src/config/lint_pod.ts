// Lint rules about the pod as a whole: whom it believes, how it leaves, what its listener can.

import { parseNetwork, renderIp, renderNetwork } from "./ip_address.ts";
import { WIRE_KEYS } from "./derived.ts";
import { isWritten, type LintReport, type LintRule } from "./lint_finding.ts";
import {
  isProbedAt,
  maySet,
  numberSetBy,
  type PodSpec,
  portsOf,
  preStopMs,
  sets,
  weirContainers,
  weirPods,
} from "./manifest_pods.ts";
import { type Path, valueAt } from "./path.ts";
import type { Config } from "./schema.ts";

/** Shorter prefixes hold more addresses than any one operator has: half of a /7 is other people's. */
const PREFIX_MIN = { ipv4: 8, ipv6: 16 };
/** Nobody reaches Weir from other networks by these: unique local (RFC 4193) and link-local (RFC 4291 2.4). */
const LOCAL = [{ begins: /^f[cd]..:/i, bits: 7 }, { begins: /^fe[89ab].:/i, bits: 10 }];

const trustedWorld: LintRule = {
  name: "trusted-proxies-open",
  check: ({ trustedProxies }) =>
    trustedProxies.flatMap((range, i) => {
      const bits = Number(range.split("/")[1] ?? "128");
      if (bits >= (range.includes(":") ? PREFIX_MIN.ipv6 : PREFIX_MIN.ipv4)) return [];
      if (LOCAL.some((local) => bits >= local.bits && local.begins.test(range))) return [];
      return [{
        path: ["trustedProxies", i],
        severity: "warning",
        state: `is ${range}, open to the world`,
        why: "Whoever reaches Weir can claim any address, and so pass limits and rules made by address.",
        fix: "Write only the addresses of your own proxies.",
      }];
    }),
};

const trustedNeighbours: LintRule = {
  name: "trusted-proxies-wider",
  check: ({ trustedProxies }) =>
    trustedProxies.flatMap((range, i) => {
      const network = parseNetwork(range)!;
      const whole = renderNetwork(network);
      const address = renderIp(network);
      if (whole.startsWith(`${address}/`)) return [];
      return [{
        path: ["trustedProxies", i],
        severity: "warning",
        state: `is ${range}, which is all of ${whole}`,
        why: `Only its first ${network.length} bits count: whoever is near ${address} is believed as well.`,
        fix: `Write ${whole} if they are meant, else ${address} alone.`,
      }];
    }),
};

const proxyHeaderFromNobody: LintRule = {
  name: "proxy-protocol-from-nobody",
  check: ({ listen, trustedProxies }) =>
    !listen.proxyProtocol || trustedProxies.length > 0 ? [] : [{
      path: ["listen", "proxyProtocol"],
      severity: "error",
      state: "is true, and trustedProxies is empty",
      why: "The PROXY header is expected from trusted proxies only, so it is never read.",
      fix: "Write the addresses of the proxies that send it to trustedProxies.",
    }],
};

const wireKeysOnServe: LintRule = {
  name: "wire-key-on-serve",
  check: ({ listen }, context) => {
    if (listen.listener === "wire") return [];
    return WIRE_KEYS.map((key): Path => ["listen", key]).filter((path) => isWritten(context, path)).map((
      path,
    ) => ({
      path,
      severity: "warning",
      state: "is written, but listen.listener is serve",
      why: "It has no effect: Deno.serve has no such setting.",
      fix: "Set listen.listener to wire, or remove it.",
    }));
  },
};

const redirectNowhere: LintRule = {
  name: "redirect-port-missing",
  check: ({ listen: { tls } }, context) => {
    const path = ["listen", "tls", "redirectToPort"];
    return tls?.redirectPort !== undefined || !isWritten(context, path) ? [] : [{
      path,
      severity: "warning",
      state: "is written, and redirectPort is not",
      why: "Weir listens nowhere for plain HTTP, so nothing is redirected.",
      fix: "Write the port to listen on for it to redirectPort, or remove redirectToPort.",
    }];
  },
};

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

export const podRules: readonly LintRule[] = [
  trustedWorld,
  trustedNeighbours,
  proxyHeaderFromNobody,
  wireKeysOnServe,
  redirectNowhere,
  drainBeyondGrace,
  noDrainDelay,
  portNotInManifest,
  probesMissAdmin,
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
