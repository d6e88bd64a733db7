// The Kubernetes API as a pod sees it: address, trust and token from where the kubelet puts them.
//
// Asked by `kubernetes_session.ts`, one for each `k8s://` source. Token and CA are read again for each request,
// because both are rotated under a running pod; requests are few (a watch lasts minutes).
//
// https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/

import { bracketed } from "../../config/endpoint_url.ts";
import { messageOf } from "../../error_message.ts";

const DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";

/** What comes in from outside. */
export interface KubernetesApiInputs {
  readonly env: (name: string) => string | undefined;
  readonly readTextFile: (path: string) => Promise<string>;
}

/** This process lacks what the kubelet gives a pod. */
export class NotInClusterError extends Error {
  constructor(detail: string) {
    super(`${detail}: k8s:// addresses work only in a pod with a service account token`);
    this.name = "NotInClusterError";
  }
}

export class KubernetesApi {
  /** One for each CA seen, the newest last: a watch may still run on an older one. */
  private clients: { readonly ca: string; readonly http: Deno.HttpClient }[] = [];

  constructor(private readonly inputs: KubernetesApiInputs) {}

  /**
   * GET of a path such as `/apis/discovery.k8s.io/v1/...`. Any status is an answer.
   *
   * @throws {NotInClusterError} when address, token or CA are missing.
   */
  async get(path: string, query: Record<string, string>, signal: AbortSignal): Promise<Response> {
    const url = new URL(path, this.origin());
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const [token, ca] = await Promise.all([this.read("token"), this.read("ca.crt")]);
    const headers = { authorization: `Bearer ${token.trim()}`, accept: "application/json" };
    return await fetch(url, { headers, signal, redirect: "error", client: this.clientFor(ca) });
  }

  /** Who is asked, in words. */
  get server(): string {
    const host = this.inputs.env("KUBERNETES_SERVICE_HOST");
    return host ? `the Kubernetes API at ${this.origin()}` : "the Kubernetes API";
  }

  /** Namespace of this pod. */
  async namespace(): Promise<string> {
    return (await this.read("namespace")).trim();
  }

  /** Lets go of all connections; the next request opens another. */
  close(): void {
    for (const { http } of this.clients) http.close();
    this.clients = [];
  }

  private origin(): string {
    const host = this.inputs.env("KUBERNETES_SERVICE_HOST");
    const port = this.inputs.env("KUBERNETES_SERVICE_PORT") ?? "443";
    if (!host) throw new NotInClusterError("KUBERNETES_SERVICE_HOST is not set");
    return `https://${bracketed(host)}:${port}`;
  }

  private async read(name: string): Promise<string> {
    try {
      return await this.inputs.readTextFile(`${DIRECTORY}/${name}`);
    } catch (cause) {
      throw new NotInClusterError(`cannot read ${DIRECTORY}/${name} (${messageOf(cause)})`);
    }
  }

  private clientFor(ca: string): Deno.HttpClient {
    const newest = this.clients.at(-1);
    if (newest?.ca === ca) return newest.http;
    // Deno trusts its own roots, too; none of them vouches for an address within a cluster.
    const http = Deno.createHttpClient({ caCerts: [ca] });
    this.clients.push({ ca, http });
    return http;
  }
}
