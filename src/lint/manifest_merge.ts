// What an overlay makes of objects: those that are written again are merged, as kustomize and `kubectl patch` do it.
//
// Pure; called by `manifest_pods.ts` with objects as they stand in the files, of which any part may be missing or odd.

import { isMap, valueAt } from "../config/path.ts";
import { textOf } from "./manifest_value.ts";

/** All objects, those in a List too; what is written again of one is a patch of it. */
export function patchedObjects(manifest: readonly unknown[]): Record<string, unknown>[] {
  const objects = new Map<unknown, Record<string, unknown>>();
  // By name deployment-patch.yaml comes before the deployment.yaml that it changes.
  const wholeFirst = manifest.flatMap(objectsIn).toSorted((a, b) => Number(isPatch(a)) - Number(isPatch(b)));
  for (const object of wholeFirst) {
    const key = idOf(object) ?? object;
    const before = objects.get(key);
    objects.set(key, before === undefined ? object : merged(before, object) as Record<string, unknown>);
  }
  return [...objects.values()];
}

function objectsIn(object: unknown): Record<string, unknown>[] {
  if (!isMap(object)) return [];
  const { items } = object;
  return Array.isArray(items) ? items.flatMap(objectsIn) : [object];
}

/** Kind, namespace and name; null for an object that has no name. */
function idOf(object: Record<string, unknown>): string | null {
  const [namespace, name] = ["namespace", "name"].map((key) => valueAt(object, ["metadata", key]));
  return name === undefined ? null : JSON.stringify([object["kind"], namespace, name]);
}

/** Without the selector that whole workloads, and nearly all Services, have. */
export function isPatch(object: Record<string, unknown>): boolean {
  return object["kind"] !== "Pod" && valueAt(object, ["spec", "selector"]) === undefined;
}

/** The lists whose elements are told apart by a key, and merged; all others are replaced. */
const LIST_KEYS = new Map([
  ["containers", ["name"]],
  ["initContainers", ["name"]],
  ["volumes", ["name"]],
  ["env", ["name"]],
  ["volumeMounts", ["mountPath"]],
  ["ports", ["containerPort", "port"]],
]);

/** A strategic merge: https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/ */
function merged(before: unknown, after: unknown, name = ""): unknown {
  if (Array.isArray(after)) {
    const keys = LIST_KEYS.get(name);
    return keys !== undefined && Array.isArray(before) ? mergedList(before, after, keys) : after;
  }
  if (!isMap(after)) return after;
  const { $patch: directive, ...written } = after;
  if (directive === "delete") return null;
  const base = isMap(before) && directive !== "replace" ? before : {};
  const changed = Object.entries(written).map(([key, value]) => [key, merged(base[key], value, key)]);
  return { ...base, ...Object.fromEntries(changed) };
}

function mergedList(
  before: readonly unknown[],
  after: readonly unknown[],
  keys: readonly string[],
): unknown[] {
  const keyOf = (one: unknown) => {
    const key = isMap(one) ? keys.map((key) => textOf(one[key])).find((text) => text !== "") : undefined;
    return key ?? one;
  };
  const directives = after.map((one) => isMap(one) ? one["$patch"] : undefined);
  const byKey = new Map(directives.includes("replace") ? [] : before.map((one) => [keyOf(one), one]));
  for (const [i, one] of after.entries()) {
    const key = keyOf(one);
    if (directives[i] === "delete") byKey.delete(key);
    else if (directives[i] === undefined) byKey.set(key, merged(byKey.get(key), one));
  }
  return [...byKey.values()];
}
