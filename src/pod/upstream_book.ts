// The upstreams as they are known now: what is configured, and what discovery has found for each.
//
// Used by `pod.ts`. An upstream whose addresses did not change keeps its discovery over a reload, and with
// it all that is known; one whose addresses did keeps what is known of those that stay.

import type { EndpointAddress } from "../config/endpoint_url.ts";
import { parseEndpointEntry } from "../config/endpoint_url.ts";
import type { Config, UpstreamConfig } from "../config/schema.ts";
import type { DiscoveredEndpoint, DiscoveryStatus } from "../control/discovery/discovery.ts";
import { type DiscoveryInputs, UpstreamDiscovery } from "../control/discovery/upstream_discovery.ts";
import type { KnownUpstream } from "../control/snapshots.ts";
import type { UpstreamTlsSnapshot } from "../messages.ts";

interface Entry {
  config: UpstreamConfig;
  tls: UpstreamTlsSnapshot;
  endpoints: readonly DiscoveredEndpoint[];
  /** What discovery depends on, to see whether it must begin anew. */
  readonly key: string;
  readonly discovery: UpstreamDiscovery;
  /** It is not as workers know it until the configuration is published: what is found goes along with that. */
  fresh: boolean;
}

export interface UpstreamBookInputs {
  /** How the addresses of an upstream are discovered. */
  readonly discoveryInputs: (name: string, config: UpstreamConfig) => DiscoveryInputs;
  /** Discovery found something else than before. */
  readonly onChange: (name: string) => void;
}

export class UpstreamBook {
  private entries = new Map<string, Entry>();
  /** Those that the last configuration took the place of, by key: still followed, as it may be taken back. */
  private replaced = new Map<string, Entry>();

  constructor(private readonly inputs: UpstreamBookInputs) {}

  /**
   * Takes over a configuration, which is to be published as soon as this settles: when every new address has been
   * looked at once. Until `stopReplaced()` the configuration before can be taken over again, and has lost nothing.
   * @param tls what each of its upstreams has
   */
  async apply(config: Config, tls: ReadonlyMap<string, UpstreamTlsSnapshot>): Promise<void> {
    const before = this.entries;
    this.entries = new Map();
    for (const [name, upstream] of Object.entries(config.upstreams)) {
      this.entries.set(name, this.enter(before.get(name), name, upstream, tls.get(name)!));
    }
    for (const entry of this.entries.values()) this.replaced.delete(entry.key);
    for (const [name, entry] of before) {
      if (this.entries.get(name) !== entry) this.replaced.set(entry.key, entry);
    }
    await Promise.all([...this.entries.values()].map(({ discovery }) => discovery.settled));
    for (const entry of this.entries.values()) entry.fresh = false;
  }

  /** Follows no longer what is not in the configuration taken over last. */
  async stopReplaced(): Promise<void> {
    const replaced = [...this.replaced.values()];
    this.replaced.clear();
    await Promise.all(replaced.map(({ discovery }) => discovery.stop()));
  }

  private enter(
    before: Entry | undefined,
    name: string,
    config: UpstreamConfig,
    tls: UpstreamTlsSnapshot,
  ): Entry {
    const key = JSON.stringify([name, config.endpoints, config.discovery]);
    const same = before?.key === key ? before : this.replaced.get(key);
    if (same !== undefined) {
      const fresh = JSON.stringify([same.config, same.tls]) !== JSON.stringify([config, tls]);
      return Object.assign(same, { config, tls, fresh });
    }
    const discovery = new UpstreamDiscovery(
      addressesOf(config),
      this.inputs.discoveryInputs(name, config),
      before?.discovery,
    );
    const entry: Entry = { config, tls, key, discovery, endpoints: before?.endpoints ?? [], fresh: true };
    discovery.start((endpoints) => {
      entry.endpoints = endpoints;
      if (this.entries.get(name) === entry && !entry.fresh) this.inputs.onChange(name);
    });
    return entry;
  }

  known(name: string): KnownUpstream | undefined {
    const entry = this.entries.get(name);
    return entry && { name, config: entry.config, endpoints: entry.endpoints, tls: entry.tls };
  }

  all(): KnownUpstream[] {
    return [...this.entries.keys()].map((name) => this.known(name)!);
  }

  /** What is known of each of its addresses that is looked up; of one that is no more, nothing. */
  describe(name: string): readonly DiscoveryStatus[] {
    return this.entries.get(name)?.discovery.describe() ?? [];
  }

  async stop(): Promise<void> {
    const all = [...this.entries.values(), ...this.replaced.values()];
    await Promise.all(all.map(({ discovery }) => discovery.stop()));
  }
}

/** The addresses of an upstream; the schema has refused those that do not parse. */
function addressesOf(config: UpstreamConfig): EndpointAddress[] {
  return config.endpoints.flatMap((entry) => {
    const parsed = parseEndpointEntry(entry);
    return parsed.ok ? [parsed.address] : [];
  });
}
