// Kubernetes manifests as tests see them: read from files, and judged as strictly as an API server that is
// asked to refuse unknown fields.

import { parseAllDocuments } from "yaml";
import { validate as configMap } from "kubernetes-models/_schemas/IoK8sApiCoreV1ConfigMap";
import { validate as deployment } from "kubernetes-models/_schemas/IoK8sApiAppsV1Deployment";
import { validate as disruptionBudget } from "kubernetes-models/_schemas/IoK8sApiPolicyV1PodDisruptionBudget";
import { validate as autoscaler } from "kubernetes-models/_schemas/IoK8sApiAutoscalingV2HorizontalPodAutoscaler";
import { validate as networkPolicy } from "kubernetes-models/_schemas/IoK8sApiNetworkingV1NetworkPolicy";
import { validate as role } from "kubernetes-models/_schemas/IoK8sApiRbacV1Role";
import { validate as roleBinding } from "kubernetes-models/_schemas/IoK8sApiRbacV1RoleBinding";
import { validate as service } from "kubernetes-models/_schemas/IoK8sApiCoreV1Service";
import { validate as serviceAccount } from "kubernetes-models/_schemas/IoK8sApiCoreV1ServiceAccount";

// deno-lint-ignore no-explicit-any -- a manifest is read here like the YAML that it is
export type Manifest = any;

interface SchemaCheck {
  (value: unknown): boolean;
  errors?: readonly { instancePath: string; message?: string; keyword: string; params: unknown }[] | null;
}

const checks: Record<string, unknown> = {
  "v1 ConfigMap": configMap,
  "v1 Service": service,
  "v1 ServiceAccount": serviceAccount,
  "apps/v1 Deployment": deployment,
  "autoscaling/v2 HorizontalPodAutoscaler": autoscaler,
  "networking.k8s.io/v1 NetworkPolicy": networkPolicy,
  "policy/v1 PodDisruptionBudget": disruptionBudget,
  "rbac.authorization.k8s.io/v1 Role": role,
  "rbac.authorization.k8s.io/v1 RoleBinding": roleBinding,
};

const root = new URL("../../../", import.meta.url);

export const pathOf = (name: string) => new URL(name, root).pathname;

/** The objects in a YAML text. @throws at anything that YAML warns of, such as a key given twice. */
export function objectsIn(yaml: string): Manifest[] {
  return parseAllDocuments(yaml).map((document) => {
    const [trouble] = [...document.errors, ...document.warnings];
    if (trouble !== undefined) throw trouble;
    return document.toJS();
  });
}

/** File name without its folder -> its objects, for all YAML files directly in a folder of the repository. */
export function manifestsIn(folder: string): Map<string, Manifest[]> {
  const names = [...Deno.readDirSync(new URL(folder, root))].map(({ name }) => name).sort();
  const files = names.filter((name) => name.endsWith(".yaml"));
  return new Map(files.map((name) => [name, objectsIn(Deno.readTextFileSync(new URL(folder + name, root)))]));
}

/** All that Kubernetes' own types hold against an object; unknown fields included. */
export function faultsOf(manifest: Manifest): string[] {
  const kind = `${manifest?.apiVersion} ${manifest?.kind}`;
  const check = checks[kind] as SchemaCheck | undefined;
  if (check === undefined) return [`${kind} is not a kind that these tests know`];
  const unread = new Map<string, unknown>();
  const valid = check(watched(manifest, "", unread));
  const errors = valid
    ? []
    : (check.errors ?? []).map(({ instancePath, message, keyword, params }) =>
      `${instancePath}: ${message ?? keyword} ${JSON.stringify(params)}`
    );
  return [...errors, ...[...unread.keys()].map((path) => `${path}: unknown field`)];
}

/**
 * `value`, noting what is looked at: the generated checks accept unknown fields, but look at every field they
 * know, so a field that nobody looked at is unknown. `unread` holds the paths of those left.
 */
function watched(value: unknown, path: string, unread: Map<string, unknown>): unknown {
  if (typeof value !== "object" || value === null) return value;
  const children = new Map<string | symbol, unknown>();
  for (const key of Object.keys(value)) unread.set(`${path}/${key}`, value);
  return new Proxy(value, {
    get(target, key, receiver) {
      unread.delete(`${path}/${String(key)}`);
      if (!Object.hasOwn(target, key)) return Reflect.get(target, key, receiver);
      if (!children.has(key)) {
        children.set(key, watched(Reflect.get(target, key), `${path}/${String(key)}`, unread));
      }
      return children.get(key);
    },
  });
}
