// What finds the endpoints behind an address, and what it says of each.
//
// One file per way: `static.ts`, `dns.ts`, `kubernetes.ts`; `upstream_discovery.ts` joins those of an upstream.
// Two rules hold for all: a failure to find out never takes an endpoint away, and an answer that says what
// was known is not published again.

import { bracketed } from "../../config/endpoint_url.ts";
import type { EndpointSnapshot } from "../../messages.ts";

/** An endpoint as discovery sees it: all of a snapshot's but the board row. */
export interface DiscoveredEndpoint extends Omit<EndpointSnapshot, "row"> {
  /**
   * Takes no new requests while another endpoint can: the operator said so, or the platform is taking it
   * away and it still serves (a Kubernetes endpoint that is terminating, but serving).
   */
  readonly drain: boolean;
}

/**
 * How long a first look goes on while an answer may yet come: a pod's network may be a moment late, and one that is
 * ready without endpoints answers 503. Well within the minute that k8s/deployment.yaml gives a start.
 */
export const FIRST_LOOK_MS_MAX = 10_000;

export interface Discovery {
  /**
   * Starts looking. `onEndpoints` gets all endpoints at each change, sorted by id; never an empty list
   * because of a failure.
   */
  start(onEndpoints: (endpoints: readonly DiscoveredEndpoint[]) => void): void;
  /**
   * Resolves once the first look is over, whether it found anything or failed; it has a limit, also where nobody
   * answers.
   */
  readonly settled: Promise<void>;
  /** Who is asked, in words; null where nothing is looked up. */
  readonly asks: string | null;
  /** Settles when nothing is open any more; nothing is published afterwards. */
  stop(): Promise<void>;
  /** Null where nothing is looked up: the address itself says where the endpoint is. */
  describe(): DiscoveryStatus | null;
}

export interface DiscoveryStatus {
  /** The address as the operator wrote it, without parameters: `dns+http://name:80`. */
  readonly source: string;
  /** How many endpoints it last published, or the one before it that looked at the same source. */
  readonly endpoints: number;
  /** Last complete answer, milliseconds since 1970; null before the first. */
  readonly answeredAt: number | null;
  /** What is wrong now, in words; null when nothing is. */
  readonly problem: string | null;
  /** Since when, milliseconds since 1970; null when nothing is. */
  readonly failingSince: number | null;
}

/** Called when something changes between working and not working, once each way. */
export interface DiscoveryEvents {
  /** `kept`: how many endpoints stay in use from earlier answers. */
  onFailure(failure: { readonly source: string; readonly reason: string; readonly kept: number }): void;
  onRecovery(recovery: { readonly source: string; readonly endpoints: number }): void;
}

/** What makes an endpoint besides where it is. */
export interface EndpointTraits {
  readonly scheme: "http" | "https";
  readonly weight: number;
  readonly backup: boolean;
  readonly drain: boolean;
}

/**
 * @param host IP address, or a name that the system resolver answers
 * @param name what the endpoint goes by towards itself (Host, SNI); the name that was resolved, if one was
 */
export function discoveredEndpoint(
  traits: EndpointTraits,
  host: string,
  port: number,
  name: string,
): DiscoveredEndpoint {
  const { scheme, weight, backup, drain } = traits;
  const ownPort = port === (scheme === "https" ? 443 : 80);
  return {
    id: `${scheme}://${bracketed(host)}:${port}`,
    scheme,
    host,
    port,
    authority: ownPort ? bracketed(name) : `${bracketed(name)}:${port}`,
    weight,
    backup,
    drain,
  };
}

/**
 * One list from several, sorted by id. An endpoint that stands in several lists is taken from the first:
 * what the operator wrote first wins.
 */
export function mergeEndpoints(lists: readonly (readonly DiscoveredEndpoint[])[]): DiscoveredEndpoint[] {
  const byId = new Map<string, DiscoveredEndpoint>();
  for (const endpoint of lists.flat()) if (!byId.has(endpoint.id)) byId.set(endpoint.id, endpoint);
  return [...byId.values()].sort((a, b) => a.id < b.id ? -1 : 1);
}

/** Whether two merged lists say the same. */
export function sameEndpoints(a: readonly DiscoveredEndpoint[], b: readonly DiscoveredEndpoint[]): boolean {
  return a.length === b.length && a.every((endpoint, i) => {
    const other = b[i]!;
    return endpoint.id === other.id && endpoint.authority === other.authority &&
      endpoint.weight === other.weight && endpoint.backup === other.backup && endpoint.drain === other.drain;
  });
}
