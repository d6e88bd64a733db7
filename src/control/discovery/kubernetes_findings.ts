// What an operator is told when the API server does not answer as it should: what failed, the value seen,
// and what to do. Pure.

import type { KubernetesAddress } from "../../config/endpoint_url.ts";
import type { SessionEnd } from "./kubernetes_ending.ts";

/** What is shown of what the API server says. */
const MESSAGE_LENGTH_MAX = 300;

/** Where slices were asked for. */
type Asked = Pick<KubernetesAddress, "namespace">;

/** One sentence for an ending that is a problem; null for one that is not. */
export function findingOf(end: SessionEnd, asked: Asked): string | null {
  const slices = `EndpointSlices in ${place(asked)}`;
  switch (end.kind) {
    case "ended":
    case "expired":
    case "silent":
      return null;
    case "unreachable":
    case "outside":
      return `the Kubernetes API cannot be reached: ${end.message}`;
    case "garbled":
      return `the Kubernetes API gave an answer that makes no sense: ${end.message}`;
    case "refused":
      return `the Kubernetes API refuses to list and watch ${slices}: ${refusal(end.status, asked)}` +
        (end.message === "" ? "" : ` (it says: ${end.message.slice(0, MESSAGE_LENGTH_MAX)})`);
    default:
      return end satisfies never;
  }
}

function place({ namespace }: Asked): string {
  return namespace === null ? "the pod's namespace" : `namespace ${namespace}`;
}

function refusal(status: number, asked: Asked): string {
  switch (status) {
    case 401:
      return "401, it does not accept the token of this pod's service account; " +
        "check automountServiceAccountToken and that the account still exists";
    case 403:
      return `403, the service account lacks list and watch on endpointslices.discovery.k8s.io; ` +
        `apply the Role and RoleBinding of k8s/ in ${place(asked)}`;
    case 404:
      return "404, it does not know discovery.k8s.io/v1; Kubernetes 1.21 or later is needed";
    case 429:
      return "429, it is overloaded; Weir asks again later";
    default:
      return `${status}`;
  }
}
