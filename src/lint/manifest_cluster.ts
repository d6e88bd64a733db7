// Lint rules about what the manifests let a pod see of the cluster and of its clients.

import { parseEndpointEntry } from "../config/endpoint_url.ts";
import { mapAt, type Path, valueAt } from "../config/path.ts";
import type { Config } from "../config/schema.ts";
import type { LintReport, LintRule } from "./finding.ts";
import { patchedObjects } from "./manifest_merge.ts";
import { isOnVolume } from "./manifest_mounts.ts";
import { knownContainers, knownPods, labelsOf, type Pod } from "./manifest_pods.ts";
import { textOf } from "./manifest_value.ts";

type Objects = readonly Record<string, unknown>[];

/** Where the kubelet puts the token that Weir asks the Kubernetes API with. */
const TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token";

const kubernetesWithoutToken: LintRule = {
  name: "kubernetes-without-token",
  check: ({ upstreams }, { manifest = [] }) => {
    const objects = patchedObjects(manifest);
    const by = knownPods(manifest).flatMap((pod) => keptFrom(pod, objects) ?? [])[0];
    if (by === undefined) return [];
    return Object.entries(upstreams).flatMap(([name, { endpoints }]) =>
      endpoints.flatMap((endpoint, i): LintReport[] => {
        const parsed = parseEndpointEntry(endpoint);
        const address = typeof endpoint === "string" ? endpoint : endpoint.url;
        return !parsed.ok || parsed.address.kind !== "k8s" ? [] : [{
          path: ["upstreams", name, "endpoints", i],
          severity: "error",
          state: `is ${address}, and the manifest's ${by} keeps the token of the Kubernetes API from the pod`,
          why: "Without it Weir knows of no pod there, becomes ready all the same, and answers 503.",
          fix: "Set automountServiceAccountToken: true in the pod's specification.",
        }];
      })
    );
  },
};

/** Who keeps the token from a pod, in words; null where it has one, also of a volume of its own. */
function keptFrom(pod: Pod, objects: Objects): string | null {
  const mounted = knownContainers(pod).every((container) => isOnVolume(TOKEN, container));
  const inPod = pod.automountServiceAccountToken ?? null;
  if (mounted) return null;
  if (inPod !== null) return inPod === false ? "automountServiceAccountToken: false" : null;
  const name = textOf(pod.serviceAccountName ?? pod.serviceAccount) || "default";
  const account = objects.find((object) =>
    object["kind"] === "ServiceAccount" && valueAt(object, ["metadata", "name"]) === name &&
    isInNamespaceOf(object, pod)
  );
  return account?.["automountServiceAccountToken"] === false ? `ServiceAccount ${name}` : null;
}

/** As far as both say where they are. */
function isInNamespaceOf(object: Record<string, unknown>, { maker }: Pod): boolean {
  const [one, other] = [object, maker].map((each) => textOf(valueAt(each, ["metadata", "namespace"])));
  return one === "" || other === "" || one === other;
}

const addressOfNode: LintRule = {
  name: "client-address-of-node",
  check: (config, { manifest = [] }) => {
    // Whoever trusts proxies knows clients by what those say.
    if (config.trustedProxies.length > 0) return [];
    const pods = knownPods(manifest);
    const service = patchedObjects(manifest).find((object) =>
      hidesClients(object) && pods.some((pod) => isInNamespaceOf(object, pod) && selects(object, pod))
    );
    if (service === undefined) return [];
    const name = textOf(valueAt(service, ["metadata", "name"]));
    const written = textOf(valueAt(service, ["spec", "externalTrafficPolicy"]));
    return byClientAddress(config).map(({ path, is }) => ({
      path,
      severity: "warning",
      state: `is ${is}, and the manifest's Service ${name} has externalTrafficPolicy Cluster` +
        (written === "" ? " (the default)" : ""),
      why: "Pods see the address of a node in place of the client's: all who come by one node count as one.",
      fix:
        "Set externalTrafficPolicy: Local in the Service, or go by something else than the client's address.",
    }));
  },
};

/** Settings that tell clients apart by their address. */
function byClientAddress(
  { listen, routes, upstreams }: Config,
): { path: Path; is: string | number | boolean }[] {
  const connections = listen.connectionsPerAddressMax;
  return [
    ...listen.listener === "wire" && connections > 0
      ? [{ path: ["listen", "connectionsPerAddressMax"], is: connections }]
      : [],
    ...routes.flatMap(({ rateLimit, split, splitSticky }, i) => [
      ...rateLimit?.key === "client_address"
        ? [{ path: ["routes", i, "rateLimit", "key"], is: "client_address" }]
        : [],
      ...split !== undefined && splitSticky ? [{ path: ["routes", i, "splitSticky"], is: true }] : [],
    ]),
    ...Object.entries(upstreams).flatMap(([name, { balance }]) =>
      balance.policy === "consistent_hash" && balance.hashOn === "client_address"
        ? [{ path: ["upstreams", name, "balance", "hashOn"], is: "client_address" }]
        : []
    ),
  ];
}

/** Whether it is a Service through which nodes pass clients on under their own address, each to any pod. */
function hidesClients(object: Record<string, unknown>): boolean {
  if (object["kind"] !== "Service") return false;
  const { type, externalTrafficPolicy, allocateLoadBalancerNodePorts } = mapAt(object, ["spec"]);
  // Balancers that go to pods themselves pass no node.
  const passesNodes = allocateLoadBalancerNodePorts !== false &&
    !Object.entries(mapAt(object, ["metadata", "annotations"])).some(([name, value]) =>
      /target-type$|balancer-type$/.test(name) && /^(nlb-)?ip$/.test(textOf(value))
    );
  return (type === "LoadBalancer" || type === "NodePort") && passesNodes &&
    ["", "Cluster"].includes(textOf(externalTrafficPolicy));
}

function selects(service: Record<string, unknown>, pod: Pod): boolean {
  const wanted = Object.entries(mapAt(service, ["spec", "selector"]));
  const labels = labelsOf(pod);
  return wanted.length > 0 &&
    wanted.every(([name, value]) => textOf(labels[name]) === textOf(value) && textOf(value) !== "");
}

export const manifestClusterRules: readonly LintRule[] = [kubernetesWithoutToken, addressOfNode];
