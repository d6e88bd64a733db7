// Which volume of a pod a file of its container lies on, and whether the kubelet renews what is there.
//
// Pure, as `manifest_pods.ts`; any part may be missing or odd.

import { isMap, valueAt } from "../config/path.ts";
import type { Container } from "./manifest_container.ts";
import { listOf, textOf } from "./manifest_value.ts";

/** What of a volume is a copy that the kubelet renews; a mount of a part of it is not (`subPath`). */
const RENEWED = { configMap: "ConfigMap", secret: "Secret", projected: "projected volume" };
/** Drivers that renew what they write in the same way, by a symbolic link to a new folder. */
const RENEWING_DRIVERS = ["secrets-store.csi.k8s.io", "csi.cert-manager.io"];

/** The kind of volume whose part a container has as this file, or as a folder that it is in; null when it has all. */
export function frozenBy(file: string, container: Container, volumes: unknown): string | null {
  const mount = mountOf(file, container);
  const part = textOf(mount?.["subPath"]) + textOf(mount?.["subPathExpr"]);
  if (/^[./]*$/.test(part)) return null;
  const volume = listOf(volumes).findLast(({ name }) => name === mount?.["name"]);
  const copied = valueAt(volume, ["configMap", "name"]) ?? valueAt(volume, ["secret", "secretName"]);
  if (isGeneratedName(copied)) return null;
  if (RENEWING_DRIVERS.includes(textOf(valueAt(volume, ["csi", "driver"])))) return "CSI volume";
  return Object.entries(RENEWED).find(([key]) => isMap(volume?.[key]))?.[1] ?? null;
}

/** Whether a file lies on any volume that the manifest names. */
export function isOnVolume(file: string, container: Container): boolean {
  return mountOf(file, container) !== undefined;
}

/** The innermost mount that a file lies on, and of several there the last: a patch. */
function mountOf(file: string, container: Container): Record<string, unknown> | undefined {
  const wanted = absolute(file, container);
  const above = listOf(container.volumeMounts).map((mount) => ({
    mount,
    at: absolute(`/${textOf(mount["mountPath"])}`, container),
  })).filter(({ at }) => wanted === at || wanted.startsWith(`${at}/`));
  return above.toSorted((a, b) => a.at.length - b.at.length).at(-1)?.mount;
}

/** A path as it is seen from the root, without what says nothing; empty for the root. */
function absolute(path: string, { workingDir }: Pick<Container, "workingDir">): string {
  const steps: string[] = [];
  // /weir is where the image has Weir.
  for (const step of `${path.startsWith("/") ? "" : `${textOf(workingDir) || "/weir"}/`}${path}`.split("/")) {
    if (step === "..") steps.pop();
    else if (step !== "" && step !== ".") steps.push(step);
  }
  return steps.map((step) => `/${step}`).join("");
}

/** With a hash of its content, as kustomize makes it: another content has another name, and so pods of its own. */
function isGeneratedName(name: unknown): boolean {
  return /-[2456789bcdfghkmt]{10}$/.test(textOf(name));
}
