// Lint rules about the pod as a whole: whom it believes, how it leaves, what its listener can.

import { isWritten, type LintReport, type LintRule } from "./lint_finding.ts";
import { isMap, type Path, valueAt } from "./path.ts";
import { listenSchema } from "./schema.ts";

/** Shorter prefixes hold more addresses than any one operator has: half of a /7 is other people's. */
const PREFIX_MIN = { ipv4: 8, ipv6: 16 };

const trustedWorld: LintRule = {
  name: "trusted-proxies-open",
  check: ({ trustedProxies }) =>
    trustedProxies.flatMap((range, i) => {
      const bits = Number(range.split("/")[1] ?? "128");
      if (bits >= (range.includes(":") ? PREFIX_MIN.ipv6 : PREFIX_MIN.ipv4)) return [];
      return [{
        path: ["trustedProxies", i],
        severity: "warning",
        state: `is ${range}, open to the world`,
        why: "Whoever reaches Weir can claim any address, and so pass limits and rules made by address.",
        fix: "Write only the addresses of your own proxies.",
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
    const wireOnly = Object.entries(listenSchema.shape)
      .filter(([, schema]) => schema.description?.startsWith("wire:"))
      .map(([key]): Path => ["listen", key]);
    return wireOnly.filter((path) => isWritten(context, path)).map((path) => ({
      path,
      severity: "warning",
      state: "is written, but listen.listener is serve",
      why: "It has no effect: Deno.serve has no such setting.",
      fix: "Set listen.listener to wire, or remove it.",
    }));
  },
};

/** What Kubernetes gives a pod that says nothing, seconds. */
const GRACE_DEFAULT_S = 30;

const drainBeyondGrace: LintRule = {
  name: "drain-beyond-grace",
  check: ({ drain }, { manifest = [] }) =>
    weirPods(manifest).flatMap((pod): LintReport[] => {
      const graceS = pod.terminationGracePeriodSeconds ?? GRACE_DEFAULT_S;
      const drainMs = preStopMs(pod) + drain.delayMs + drain.deadlineMs;
      if (drainMs < graceS * 1_000) return [];
      return [{
        path: ["drain", "deadlineMs"],
        severity: "error",
        state:
          `is ${drain.deadlineMs}: draining takes up to ${drainMs} ms, preStop and delay included, but ` +
          `terminationGracePeriodSeconds is ${graceS}` +
          (pod.terminationGracePeriodSeconds === undefined ? " (the default)" : ""),
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
    drain.delayMs > 0 || weirPods(manifest).every((pod) => preStopMs(pod) > 0) ? [] : [{
      path: ["drain", "delayMs"],
      severity: "warning",
      state: "is 0 in a pod without a preStop sleep",
      why:
        "Kubernetes takes a pod out of its Service a moment after it told it to stop; requests until then are refused.",
      fix: "Set it to 5000.",
    }],
};

/** The ports, and by what a manifest may set each, whatever the configuration says. */
const PORTS: readonly { readonly path: Path; readonly setBy: readonly string[] }[] = [
  { path: ["listen", "port"], setBy: ["PORT", "--port"] },
  { path: ["listen", "tls", "redirectPort"], setBy: [] },
  { path: ["admin", "port"], setBy: ["ADMIN_PORT", "--admin-port"] },
];

const portNotInManifest: LintRule = {
  name: "port-not-in-manifest",
  check: (config, { manifest = [] }) =>
    weirPods(manifest).flatMap((pod): LintReport[] => {
      const containers = weirContainers(pod);
      const ports = containers.flatMap(portsOf);
      if (ports.length === 0) return [];
      const missing = PORTS.filter(({ path, setBy }) => {
        const port = valueAt(config, path);
        if (port === undefined || ports.includes(Number(port))) return false;
        return !containers.some((container) => maySet(container, setBy));
      });
      return missing.map(({ path }) => ({
        path,
        severity: "warning",
        state: `is ${valueAt(config, path)}, but the pod's containerPorts are ${ports.join(", ")}`,
        why: "Services and probes that go by the pod's ports reach nobody.",
        fix: "Set it to one of those, or write it there.",
      }));
    }),
};

export const podRules: readonly LintRule[] = [
  trustedWorld,
  proxyHeaderFromNobody,
  wireKeysOnServe,
  drainBeyondGrace,
  noDrainDelay,
  portNotInManifest,
];

/** The parts of a pod's specification that the rules look at, as far as they are written: a patch may hold any of them. */
interface PodSpec {
  readonly terminationGracePeriodSeconds?: number | null;
  readonly containers?: unknown;
}

interface Container {
  readonly name?: string | null;
  readonly image?: string | null;
  /** In place of the image's entry point: another program of the same image. */
  readonly command?: readonly string[] | null;
  readonly args?: unknown;
  readonly env?: unknown;
  readonly envFrom?: unknown;
  readonly ports?: unknown;
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds?: unknown } } } | null;
}

/** Pods that run Weir, by the name or image of a container with no other command; all pods when none says so. */
function weirPods(manifest: readonly unknown[]): PodSpec[] {
  const pods = patched(manifest.flatMap(workloadsOf));
  const weirs = pods.filter((pod) => containersOf(pod).some(isWeir));
  return weirs.length > 0 ? weirs : pods;
}

function isWeir({ name, image, command }: Container): boolean {
  return (command ?? null) === null && (/weir/.test(name ?? "") || /weir/.test(image ?? ""));
}

/** Weir's container of a pod, with what patches say of it; all containers when none says that it is Weir's. */
function weirContainers(pod: PodSpec): Container[] {
  const containers = containersOf(pod);
  const names = containers.filter(isWeir).map(({ name }) => name);
  return names.length === 0 ? containers : containers.filter(({ name }) => names.includes(name));
}

interface Workload {
  /** Kind, namespace and name; null for an object that has no name. */
  readonly id: string | null;
  readonly pod: PodSpec;
}

/** The pod of a Pod, Deployment, StatefulSet or DaemonSet, and those in a List. */
function workloadsOf(object: unknown): Workload[] {
  if (!isMap(object)) return [];
  const { kind, items } = object;
  if (Array.isArray(items)) return items.flatMap(workloadsOf);
  const spec = valueAt(object, kind === "Pod" ? ["spec"] : ["spec", "template", "spec"]);
  if (!isMap(spec)) return [];
  const name = valueAt(object, ["metadata", "name"]);
  const id = JSON.stringify([kind, valueAt(object, ["metadata", "namespace"]), name]);
  return [{ id: name === undefined ? null : id, pod: spec as PodSpec }];
}

/** Their pods: what is written again of an object is a patch of it, as an overlay holds one. */
function patched(workloads: readonly Workload[]): PodSpec[] {
  const pods = new Map<unknown, PodSpec>();
  for (const { id, pod } of workloads) {
    const key = id ?? pod;
    const before = pods.get(key) ?? {};
    pods.set(key, { ...before, ...pod, containers: [...containersOf(before), ...containersOf(pod)] });
  }
  return [...pods.values()];
}

function containersOf({ containers }: PodSpec): Container[] {
  return listOf(containers);
}

function preStopMs(pod: PodSpec): number {
  const seconds = containersOf(pod).map(({ lifecycle }) => Number(lifecycle?.preStop?.sleep?.seconds));
  return Math.max(0, ...seconds.filter(Number.isFinite)) * 1_000;
}

function portsOf({ ports }: Container): number[] {
  return listOf(ports).map(({ containerPort }) => Number(containerPort)).filter(Number.isInteger);
}

/** Whether one of these variables and flags is given; any variable may be where all of another object are. */
function maySet({ command, args, env, envFrom }: Container, names: readonly string[]): boolean {
  const words = [command, args].flatMap((list) => Array.isArray(list) ? list : []);
  const given = [...listOf(env).map(({ name }) => name), ...words.map((word) => String(word).split("=")[0])];
  return names.some((name) => given.includes(name)) || names.length > 0 && listOf(envFrom).length > 0;
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isMap) : [];
}
