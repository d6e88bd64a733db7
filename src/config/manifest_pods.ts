// The pods of Kubernetes manifests, as far as lint rules look at them: which of them run Weir, and how.
//
// Pure; called by `lint_pod.ts` with objects as they stand in the files, of which any part may be missing or odd.

import { type Container, listOf, wordsOf } from "./manifest_container.ts";
import { isMap, valueAt } from "./path.ts";

/** The parts of a pod's specification that the rules look at, as far as they are written: a patch may hold any of them. */
export interface PodSpec {
  readonly terminationGracePeriodSeconds?: number | null;
  readonly containers?: unknown;
  readonly initContainers?: unknown;
  readonly volumes?: unknown;
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
    const volumes = [...listOf(before.volumes), ...listOf(pod.volumes)];
    pods.set(key, { ...before, ...pod, containers, initContainers, volumes });
  }
  return [...pods.values()];
}

/** Those of one name are one, as Kubernetes merges them: variables, ports and mounts add up, all else is what the last one says. */
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
      volumeMounts: [...listOf(before?.volumeMounts), ...listOf(container.volumeMounts)],
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
