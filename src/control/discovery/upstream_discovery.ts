// All endpoints of one upstream, from all its addresses, as one list.
//
// Made by `pod/upstream_book.ts`: one per upstream, replaced when the upstream's addresses change. Publishes for
// the first time when every address has been looked at once, so that a start does not begin with half a
// group; after that at each change, coalesced: a storm of changes becomes a few lists a second.

import {
  addressId,
  type DnsAddress,
  type EndpointAddress,
  type KubernetesAddress,
} from "../../config/endpoint_url.ts";
import { parseNameServer } from "../../config/name_server.ts";
import type { DiscoveryConfig } from "../../config/schema.ts";
import type { Cancel, Clock } from "../clock.ts";
import {
  type DiscoveredEndpoint,
  type Discovery,
  type DiscoveryEvents,
  type DiscoveryStatus,
  mergeEndpoints,
  sameEndpoints,
} from "./discovery.ts";
import { DnsDiscovery } from "./dns.ts";
import { dnsResolver } from "./resolver.ts";
import { StaticDiscovery } from "./static.ts";

/** Changes within this time are published together. */
export const COALESCE_MS = 250;

export interface DiscoveryInputs {
  readonly clock: Clock;
  readonly makers: DiscoveryMakers;
}

/** How addresses that are not static are discovered. `before` did so until now: its knowledge is taken over. */
export interface DiscoveryMakers {
  dns(address: DnsAddress, before?: Discovery): Discovery;
  k8s(address: KubernetesAddress, before?: Discovery): Discovery;
}

export class UpstreamDiscovery {
  readonly settled: Promise<void>;
  private readonly discoveries: readonly Discovery[];
  /** Those whose first look is not over. */
  private readonly awaited = new Set<Discovery>();
  /** By address, as there may be thousands. */
  readonly bySource: ReadonlyMap<string, Discovery>;
  private readonly lists: (readonly DiscoveredEndpoint[])[];
  private published: readonly DiscoveredEndpoint[] | null = null;
  private publish: (endpoints: readonly DiscoveredEndpoint[]) => void = () => {};
  private cancelPublication: Cancel | null = null;
  private stopped = false;

  /** @param before what discovered an address until now: one that stays keeps what is known of it */
  constructor(
    addresses: readonly EndpointAddress[],
    private readonly inputs: DiscoveryInputs,
    before: (source: string) => Discovery | undefined = () => undefined,
  ) {
    const sources = addresses.map(addressId);
    this.discoveries = addresses.map((address, i) => this.make(address, before(sources[i]!)));
    this.bySource = new Map(this.discoveries.map((discovery, i) => [sources[i]!, discovery]));
    this.lists = addresses.map(() => []);
    this.settled = Promise.all(this.discoveries.map((discovery) => this.settle(discovery))).then(() =>
      this.publishNow()
    );
  }

  start(onEndpoints: (endpoints: readonly DiscoveredEndpoint[]) => void): void {
    this.publish = onEndpoints;
    this.discoveries.forEach((discovery, i) => {
      discovery.start((endpoints) => {
        this.lists[i] = endpoints;
        this.publishSoon();
      });
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelPublication?.();
    await Promise.all(this.discoveries.map((discovery) => discovery.stop()));
  }

  /** One status for each address that is looked up, in the order in which they are configured. */
  describe(): DiscoveryStatus[] {
    return this.discoveries.map((discovery) => discovery.describe()).filter((status) => status !== null);
  }

  /** What its first publication still waits for, in words. */
  awaits(): string[] {
    return [...this.awaited].flatMap((discovery) => {
      const status = discovery.describe();
      if (status === null) return [];
      const { source, problem } = status;
      const words = problem === null
        ? `no answer yet from ${discovery.asks}`
        : `${problem}; Weir asks ${discovery.asks} again`;
      return [`${source}: ${words}`];
    });
  }

  private async settle(discovery: Discovery): Promise<void> {
    this.awaited.add(discovery);
    await discovery.settled;
    this.awaited.delete(discovery);
  }

  private make(address: EndpointAddress, before: Discovery | undefined): Discovery {
    const { makers } = this.inputs;
    switch (address.kind) {
      case "static":
        return new StaticDiscovery(address);
      case "dns":
        return makers.dns(address, before);
      case "k8s":
        return makers.k8s(address, before);
    }
  }

  private publishSoon(): void {
    // Before the first publication: `settled` comes first.
    if (this.published === null || this.cancelPublication !== null) return;
    this.cancelPublication = this.inputs.clock.after(COALESCE_MS, () => this.publishNow());
  }

  private publishNow(): void {
    this.cancelPublication = null;
    if (this.stopped) return;
    const endpoints = mergeEndpoints(this.lists);
    if (this.published !== null && sameEndpoints(endpoints, this.published)) return;
    this.published = endpoints;
    this.publish(endpoints);
  }
}

/** Discovers DNS addresses of an upstream as its configuration says. */
export function dnsMaker(
  config: DiscoveryConfig,
  inputs: { readonly clock: Clock; readonly events: DiscoveryEvents },
): DiscoveryMakers["dns"] {
  const { nameServer } = config;
  const resolver = dnsResolver(nameServer === undefined ? null : parseNameServer(nameServer));
  return (address, before) => {
    const known = before instanceof DnsDiscovery ? before : undefined;
    return new DnsDiscovery(address, config, { ...inputs, resolver }, known);
  };
}
