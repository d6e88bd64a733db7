// The pods of Kubernetes manifests, as far as lint rules look at them: which of them run Weir, and how.
//
// Pure; called by lint rules with objects as they stand in the files, of which any part may be missing or odd.

import { isMap, mapAt, type Path, valueAt } from "../config/path.ts";
import { type Container, isAnotherProgram, wordsOf } from "./manifest_container.ts";
import { isPatch, patchedObjects } from "./manifest_merge.ts";
import { listOf, numberOf, textOf, textsOf } from "./manifest_value.ts";

/** The parts of a pod's specification that the rules look at, as far as they are written: a patch may hold any of them. */
export interface PodSpec {
  readonly terminationGracePeriodSeconds?: unknown;
  readonly containers?: unknown;
  readonly initContainers?: unknown;
  readonly volumes?: unknown;
  readonly automountServiceAccountToken?: unknown;
  readonly serviceAccountName?: unknown;
  /** The same, as it was called before. */
  readonly serviceAccount?: unknown;
}

/** A pod, and what makes it: a Pod, Deployment, StatefulSet, DaemonSet or Job. */
export interface Pod extends PodSpec {
  readonly maker: Record<string, unknown>;
}

/** Pods that run Weir, by the name or image of a container with no other command; all pods when none says so. */
export function weirPods(manifest: readonly unknown[]): Pod[] {
  const pods = patchedObjects(manifest).flatMap((maker): Pod[] => {
    const spec = valueAt(maker, [...templateOf(maker), "spec"]);
    return isMap(spec) ? [{ ...spec, maker }] : [];
  });
  const weirs = pods.filter((pod) => containersOf(pod).some(isWeir));
  return weirs.length > 0 ? weirs : pods;
}

/** Where a pod's metadata and specification stand in what makes it. */
function templateOf({ kind }: Record<string, unknown>): Path {
  return kind === "Pod" ? [] : ["spec", "template"];
}

/** Those of the pod, and of what makes it. */
export function annotationsOf({ maker }: Pod): Record<string, unknown> {
  return {
    ...mapAt(maker, ["metadata", "annotations"]),
    ...mapAt(maker, [...templateOf(maker), "metadata", "annotations"]),
  };
}

export function labelsOf({ maker }: Pod): Record<string, unknown> {
  return mapAt(maker, [...templateOf(maker), "metadata", "labels"]);
}

/** Whether new pods take the place of old ones, by a whole Deployment, StatefulSet or DaemonSet. */
export function isRolledOut({ maker }: Pod): boolean {
  return maker["kind"] !== "Pod" && !isPatch(maker);
}

/** Commands that answer and end, as in a Job: what has them does not serve. */
const ENDING = ["check", "explain", "probe", "version", "help"];

function isWeir(container: Container): boolean {
  const says = (text: unknown) => /(?<![a-z])weir(?![a-z])/.test(textOf(text));
  return !isAnotherProgram(container) && !ENDING.includes(wordsOf(container)[0] ?? "") &&
    (says(container.name) || says(container.image));
}

/** Weir's container of a pod; all containers when none says that it is Weir's. */
export function weirContainers(pod: PodSpec): Container[] {
  const containers = containersOf(pod);
  const weirs = containers.filter(isWeir);
  return weirs.length > 0 ? weirs : containers;
}

/** Containers that are Weir's by their name, image or command, or as the pod has no other; none where that cannot be told. */
export function knownContainers(pod: PodSpec): Container[] {
  const containers = weirContainers(pod);
  return containers.some(isWeir) || containersOf(pod).length === 1 ? containers : [];
}

/** Pods with such a container, or the only one. */
export function knownPods(manifest: readonly unknown[]): Pod[] {
  const pods = weirPods(manifest);
  return pods.filter((pod) => weirContainers(pod).some(isWeir) || pods.length === 1);
}

/** Those that run as long as the pod does: its containers, and the sidecars among those that start before them. */
function containersOf({ containers, initContainers }: PodSpec): Container[] {
  const sidecars = listOf(initContainers).filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...listOf(containers), ...sidecars];
}

/** How long Weir's container sleeps before it is told to stop; other containers hold up only themselves. */
export function preStopMs(pod: PodSpec): number {
  const seconds = weirContainers(pod).map(({ lifecycle }) => {
    const command = textsOf(valueAt(lifecycle, ["preStop", "exec", "command"])).join(" ");
    const slept = /(?:^|[\s/;&])sleep (\d+)s?(?![\w.])/.exec(command)?.[1];
    return numberOf(valueAt(lifecycle, ["preStop", "sleep", "seconds"]) ?? slept) ?? 0;
  });
  return Math.max(0, ...seconds) * 1_000;
}
