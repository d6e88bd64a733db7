// The pods of Kubernetes manifests, as far as lint rules look at them: which of them run Weir, and how.
//
// Pure; called by `lint_pod.ts` with objects as they stand in the files, of which any part may be missing or odd.

import { isMap, valueAt } from "./path.ts";

/** The parts of a pod's specification that the rules look at, as far as they are written: a patch may hold any of them. */
export interface PodSpec {
  readonly terminationGracePeriodSeconds?: number | null;
  readonly containers?: unknown;
  readonly initContainers?: unknown;
}

interface Container {
  readonly name?: string | null;
  readonly restartPolicy?: unknown;
  readonly image?: string | null;
  /** In place of the image's entry point: another program of the same image. */
  readonly command?: readonly string[] | null;
  readonly args?: unknown;
  readonly env?: unknown;
  readonly envFrom?: unknown;
  readonly ports?: unknown;
  readonly startupProbe?: unknown;
  readonly readinessProbe?: unknown;
  readonly livenessProbe?: unknown;
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds?: unknown } } } | null;
}

/** Pods that run Weir, by the name or image of a container with no other command; all pods when none says so. */
export function weirPods(manifest: readonly unknown[]): PodSpec[] {
  const pods = patched(manifest.flatMap(workloadsOf));
  const weirs = pods.filter((pod) => containersOf(pod).some(isWeir));
  return weirs.length > 0 ? weirs : pods;
}

/** Commands that answer and end, as in a Job: what has them does not serve. */
const ENDING = ["check", "explain", "probe", "version", "help"];

function isWeir(container: Container): boolean {
  const { name, image, command } = container;
  const says = (text: string | null | undefined) => /(?<![a-z])weir(?![a-z])/.test(text ?? "");
  return (command ?? []).length === 0 && !ENDING.includes(wordsOf(container)[0] ?? "") &&
    (says(name) || says(image));
}

/** Weir's container of a pod; all containers when none says that it is Weir's. */
export function weirContainers(pod: PodSpec): Container[] {
  const containers = containersOf(pod);
  const weirs = containers.filter(isWeir);
  return weirs.length > 0 ? weirs : containers;
}

interface Workload {
  /** Kind, namespace and name; null for an object that has no name. */
  readonly id: string | null;
  /** Without the selector that a whole one must have. */
  readonly isPatch: boolean;
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
  const isPatch = kind !== "Pod" && valueAt(object, ["spec", "selector"]) === undefined;
  return [{ id: name === undefined ? null : id, isPatch, pod: spec as PodSpec }];
}

/** Their pods: what is written again of an object is a patch of it, as an overlay holds one. */
function patched(workloads: readonly Workload[]): PodSpec[] {
  const pods = new Map<unknown, PodSpec>();
  // By name deployment-patch.yaml comes before the deployment.yaml that it changes.
  const wholeFirst = workloads.toSorted((a, b) => Number(a.isPatch) - Number(b.isPatch));
  for (const { id, pod } of wholeFirst) {
    const key = id ?? pod;
    const before = pods.get(key) ?? {};
    const both = (list: "containers" | "initContainers") =>
      merged([...listOf(before[list]), ...listOf(pod[list])]);
    const containers = both("containers");
    const initContainers = both("initContainers");
    pods.set(key, { ...before, ...pod, containers, initContainers });
  }
  return [...pods.values()];
}

/** Those of one name are one, as Kubernetes merges them: variables and ports add up, all else is what the last one says. */
function merged(containers: readonly Container[]): Container[] {
  const byName = new Map<unknown, Container>();
  for (const container of containers) {
    const key = container.name ?? container;
    const before = byName.get(key);
    byName.set(key, {
      ...before,
      ...container,
      env: [...listOf(before?.env), ...listOf(container.env)],
      ports: [...listOf(before?.ports), ...listOf(container.ports)],
    });
  }
  return [...byName.values()];
}

/** Those that run as long as the pod does: its containers, and the sidecars among those that start before them. */
function containersOf({ containers, initContainers }: PodSpec): Container[] {
  const sidecars = listOf(initContainers).filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...listOf(containers), ...sidecars];
}

/** How long Weir's container sleeps before it is told to stop; other containers hold up only themselves. */
export function preStopMs(pod: PodSpec): number {
  const seconds = weirContainers(pod).map(({ lifecycle }) => Number(lifecycle?.preStop?.sleep?.seconds));
  return Math.max(0, ...seconds.filter(Number.isFinite)) * 1_000;
}

export function portsOf({ ports }: Container): number[] {
  return listOf(ports).map(({ containerPort }) => Number(containerPort)).filter(Number.isInteger);
}

/**
 * Whether the kubelet asks one of its probes, which it does at the pod's address unless another one is written, and at
 * no other port than this one.
 */
export function isProbedAt(port: number, container: Container): boolean {
  const { startupProbe, readinessProbe, livenessProbe, ports } = container;
  return [startupProbe, readinessProbe, livenessProbe].some((probe) => {
    const asked = [valueAt(probe, ["httpGet"]), valueAt(probe, ["tcpSocket"])].filter(isMap);
    return asked.some(({ host, port: asksAt }) => {
      const number = Number(listOf(ports).find(({ name }) => name === asksAt)?.["containerPort"] ?? asksAt);
      return host === undefined && (number === port || Number.isNaN(number));
    });
  });
}

/** Whether one of these variables and flags is given; an empty variable is none, and of several the last counts. */
export function sets(container: Container, names: readonly string[]): boolean {
  const variables = new Map(
    listOf(container.env).map((one) => [one["name"], one["valueFrom"] ?? one["value"]]),
  );
  const given = [
    ...[...variables].filter(([_name, value]) => (value ?? "") !== "").map(([name]) => name),
    ...wordsOf(container).map((word) => word.split("=")[0]),
  ];
  return names.some((name) => given.includes(name));
}

/** The same; any variable may be where all of another object are. */
export function maySet(container: Container, names: readonly string[]): boolean {
  return sets(container, names) || names.length > 0 && listOf(container.envFrom).length > 0;
}

/** What the last such flag says, or the last such variable; undefined where that stands in another object, or nowhere. */
export function numberSetBy(
  containers: readonly Container[],
  flag: string,
  variable: string,
): number | undefined {
  const words = containers.flatMap(wordsOf);
  const flags = words.flatMap((word, i) =>
    word === flag ? [words[i + 1]] : word.startsWith(`${flag}=`) ? [word.substring(flag.length + 1)] : []
  );
  const variables = containers.flatMap(({ env }) => listOf(env)).filter(({ name }) => name === variable)
    .map(({ value }) => value);
  const text = flags.at(-1) ?? variables.at(-1) ?? "";
  return /^ *\d+ *$/.test(String(text)) ? Number(text) : undefined;
}

function wordsOf({ command, args }: Container): string[] {
  return [command, args].flatMap((list) => Array.isArray(list) ? list : []).map(String);
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isMap) : [];
}
