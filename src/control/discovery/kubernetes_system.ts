// Joins the Kubernetes API to the system it runs on: environment, files, network.
//
// Called by `pod/discovery_inputs.ts`, and used where a `k8s://` address is configured. `env` answers
// KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT; the rights to read the service account directory and to
// connect are needed.

import type { Clock } from "../clock.ts";
import type { DiscoveryEvents } from "./discovery.ts";
import { KubernetesDiscovery } from "./kubernetes.ts";
import { KubernetesApi } from "./kubernetes_api.ts";
import type { DiscoveryMakers } from "./upstream_discovery.ts";

/** Discovers Kubernetes addresses; each source has a connection of its own and closes it when it stops. */
export function kubernetesMaker(
  inputs: {
    readonly env: (name: string) => string | undefined;
    readonly clock: Clock;
    readonly events: DiscoveryEvents;
  },
): DiscoveryMakers["k8s"] {
  return (address, before) => {
    const known = before instanceof KubernetesDiscovery ? before : undefined;
    const api = new KubernetesApi({ env: inputs.env, readTextFile: (path) => Deno.readTextFile(path) });
    return new KubernetesDiscovery(address, { ...inputs, api }, known);
  };
}
