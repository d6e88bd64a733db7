// From the EndpointSlices of one Service to the endpoints that traffic may use. Pure; called on every change.
//
// A pod that is ready takes traffic. A pod that is terminating and still serving takes no new clients, and
// all of them only when nothing else is left. A pod counts once, however many slices and address families
// name it. What the API server says is checked field by field here, and nothing else in Weir trusts it.
//
// https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/

import type { KubernetesAddress } from "../../config/endpoint_url.ts";

/** The Service whose pods are wanted. */
export type KubernetesTarget = Pick<KubernetesAddress, "service" | "namespace" | "port">;

/** One pod behind a Service. */
export interface PodEndpoint {
  readonly scheme: "http" | "https";
  /** IP address without brackets; a name only in slices of type FQDN. */
  readonly host: string;
  readonly port: number;
  /** It is leaving: sticky clients may stay, no new ones come. */
  readonly draining: boolean;
}

/** The fields of an EndpointSlice that Weir reads. */
export interface Slice {
  readonly name: string;
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly SliceEndpoint[];
}

export interface SlicePort {
  /** Empty for the only port of a Service, which needs no name. */
  readonly name: string;
  readonly port: number;
  readonly scheme: "http" | "https";
}

interface SliceEndpoint {
  readonly address: string;
  /** Identity of the pod behind the address; the address itself where none is told. */
  readonly pod: string;
  readonly state: EndpointUse;
}

/** Best first: of two slices that disagree on an address, the better word counts, as it does in kube-proxy. */
type EndpointUse = "ready" | "leaving" | "unusable";
const RANK: Record<EndpointUse, number> = { ready: 0, leaving: 1, unusable: 2 };

/** What the slices come to. `problem` says in one sentence why there are none, and what to do. */
export interface PodEndpoints {
  /** Sorted by address and port, so that equal sets compare equal. */
  readonly endpoints: readonly PodEndpoint[];
  readonly problem?: string;
}

/** The endpoints of `target`, given all slices that its Service has. */
export function endpointsOf(slices: Iterable<Slice>, target: KubernetesTarget): PodEndpoints {
  const all = [...slices];
  const service = `Service ${target.namespace === null ? "" : `${target.namespace}/`}${target.service}`;
  if (all.length === 0) return { endpoints: [], problem: `${service} has no EndpointSlice: does it exist?` };

  const best = new Map<string, { endpoint: PodEndpoint; pod: string; state: EndpointUse }>();
  for (const slice of all) {
    const port = portOf(slice.ports, target.port);
    if (port === undefined) continue;
    for (const { address, pod, state } of slice.endpoints) {
      const id = `${address} ${port.port}`;
      const known = best.get(id);
      if (known !== undefined && RANK[known.state] <= RANK[state]) continue;
      const endpoint = {
        scheme: port.scheme,
        host: address,
        port: port.port,
        draining: state === "leaving",
      };
      best.set(id, { endpoint, pod, state });
    }
  }
  const without = all.filter((slice) => hasSomething(slice) && !portOf(slice.ports, target.port));
  if (best.size === 0 && without.length > 0) {
    return { endpoints: [], problem: `${service} has no port ${target.port}: ${portsSeen(without)}` };
  }

  const pods = oncePerPod([...best.values()]);
  const ready = pods.filter((found) => found.state === "ready");
  const leaving = pods.filter((found) => found.state === "leaving");
  // Nothing but leaving pods: they still serve, and a 503 would be worse (KEP-1669).
  const usable = ready.length > 0
    ? [...ready, ...leaving].map((found) => found.endpoint)
    : leaving.map((found) => ({ ...found.endpoint, draining: false }));
  if (usable.length === 0) return { endpoints: [], problem: `${service} has no ready pod` };
  return { endpoints: usable.sort(byAddress) };
}

/**
 * The port that `wanted` means. EndpointSlices know a Service's port names and the pods' port numbers, not
 * the Service's own numbers; where a Service has one port, any number means that port.
 */
function portOf(ports: readonly SlicePort[], wanted: string | number): SlicePort | undefined {
  if (typeof wanted === "string") return ports.find((port) => port.name === wanted);
  return ports.find((port) => port.port === wanted) ?? (ports.length === 1 ? ports[0] : undefined);
}

/** The cluster keeps a slice without either for a Service whose selector matches nothing. */
const hasSomething = ({ ports, endpoints }: Slice) => ports.length > 0 || endpoints.length > 0;

function portsSeen(slices: readonly Slice[]): string {
  if (slices.every(({ ports }) => ports.length === 0)) {
    return "the EndpointSlices of its pods name no TCP port";
  }
  const seen = new Set(slices.flatMap((slice) => slice.ports.map((p) => `${p.name || "unnamed"}=${p.port}`)));
  return `its pods have ${[...seen].sort().join(", ")}`;
}

/** A dual-stack pod is in an IPv4 and in an IPv6 slice; two entries would give it two shares of the load. */
function oncePerPod<F extends { endpoint: PodEndpoint; pod: string; state: EndpointUse }>(found: F[]): F[] {
  const families = new Map<string, F>();
  for (const one of found) {
    const key = `${one.pod} ${one.endpoint.port}`;
    const other = families.get(key);
    if (other === undefined || prefers(one, other)) families.set(key, one);
  }
  return [...families.values()];
}

function prefers<F extends { endpoint: PodEndpoint; state: EndpointUse }>(one: F, other: F): boolean {
  if (one.state !== other.state) return RANK[one.state] < RANK[other.state];
  const [oneIsSix, otherIsSix] = [one.endpoint.host.includes(":"), other.endpoint.host.includes(":")];
  return oneIsSix === otherIsSix ? one.endpoint.host < other.endpoint.host : otherIsSix;
}

function byAddress(a: PodEndpoint, b: PodEndpoint): number {
  return a.host < b.host ? -1 : a.host > b.host ? 1 : a.port - b.port;
}

/** Values of `appProtocol` for a port that speaks TLS; the second is the standard one for WebSockets. */
const OVER_TLS: ReadonlySet<string> = new Set(["https", "kubernetes.io/wss"]);

/** The Slice in an object of the API; null when it is none. Parts that make no sense are left out. */
export function sliceIn(value: unknown): Slice | null {
  const name = text(record(record(value)?.metadata)?.name);
  if (name === undefined) return null;
  return {
    name,
    ports: list(record(value)?.ports).flatMap(portIn),
    endpoints: list(record(value)?.endpoints).flatMap(endpointIn),
  };
}

function portIn(value: unknown): SlicePort[] {
  const port = record(value);
  const number = port?.port;
  if (typeof number !== "number" || !Number.isInteger(number) || number < 1 || number > 65_535) return [];
  if (port?.protocol !== undefined && port.protocol !== null && port.protocol !== "TCP") return [];
  const scheme = OVER_TLS.has(text(port?.appProtocol)?.toLowerCase() ?? "") ? "https" : "http";
  return [{ name: text(port?.name) ?? "", port: number, scheme }];
}

function endpointIn(value: unknown): SliceEndpoint[] {
  const endpoint = record(value);
  // The API gives a list, and says that its first address stands for all of them.
  const address = text(list(endpoint?.addresses)[0]);
  if (!address) return [];
  const pod = text(record(endpoint?.targetRef)?.uid) ?? address;
  return [{ address, pod, state: useOf(record(endpoint?.conditions)) }];
}

/** Absent means: ready unless told otherwise, serving as it is ready, not terminating. */
function useOf(conditions: Record<string, unknown> | undefined): EndpointUse {
  const ready = conditions?.ready !== false;
  const serving = typeof conditions?.serving === "boolean" ? conditions.serving : ready;
  if (conditions?.terminating === true) return serving ? "leaving" : "unusable";
  return ready ? "ready" : "unusable";
}

const record = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === "object" && value !== null ? value as Record<string, unknown> : undefined;
const list = (value: unknown): unknown[] => Array.isArray(value) ? value : [];
const text = (value: unknown): string | undefined => typeof value === "string" ? value : undefined;
