// How the addresses of an upstream are discovered in this process: DNS by its own configuration, Kubernetes
// by the pod's service account.

import { plural } from "../config/findings.ts";
import type { UpstreamConfig } from "../config/schema.ts";
import type { DiscoveryEvents } from "../control/discovery/discovery.ts";
import { kubernetesMaker } from "../control/discovery/kubernetes_system.ts";
import { type DiscoveryInputs, dnsMaker } from "../control/discovery/upstream_discovery.ts";
import type { PodInputs } from "./pod_inputs.ts";

export function discoveryInputs(
  name: string,
  config: UpstreamConfig,
  { clock, events, environment }: Pick<PodInputs, "clock" | "events" | "environment">,
): DiscoveryInputs {
  const told: DiscoveryEvents = {
    onFailure: ({ source, reason, kept }) =>
      events.add(
        "discovery",
        "bad",
        `${name}: ${source}: ${reason}; still in use: ${plural(kept, "endpoint")}`,
      ),
    onRecovery: ({ source, endpoints }) =>
      events.add("discovery", "good", `${name}: ${source} answers again: ${plural(endpoints, "endpoint")}`),
  };
  return {
    clock,
    makers: {
      dns: dnsMaker(config.discovery, { clock, events: told }),
      k8s: kubernetesMaker({ env: (variable) => environment[variable], clock, events: told }),
    },
  };
}
