// The upstreams as they are known now: what is configured, and what discovery has found for each.
//
// Used by `pod.ts`. An upstream whose addresses did not change keeps its discovery over a reload, and with it all
// that is known; another keeps what is known of those addresses that stay, or stood in any upstream. While the first
// look at new addresses lasts, the configuration before is in force, and its upstreams are followed as ever.

import type { EndpointAddress } from "../config/endpoint_url.ts";
import { parseEndpointEntry } from "../config/endpoint_url.ts";
import { firstOf } from "../config/findings.ts";
import type { Config, UpstreamConfig } from "../config/schema.ts";
import type { Clock } from "../control/clock.ts";
import type { DiscoveredEndpoint, Discovery, DiscoveryStatus } from "../control/discovery/discovery.ts";
import { type DiscoveryInputs, UpstreamDiscovery } from "../control/discovery/upstream_discovery.ts";
import type { KnownUpstream } from "../control/snapshots.ts";
import type { UpstreamTlsSnapshot } from "../messages.ts";

/** The addresses of an upstream, and what they are found to be. */
interface Followed {
  /** What discovery depends on, to see whether it must begin anew. */
  readonly key: string;
  readonly discovery: UpstreamDiscovery;
  endpoints: readonly DiscoveredEndpoint[];
}

/** An upstream as a configuration has it. */
interface Entry {
  readonly config: UpstreamConfig;
  readonly tls: UpstreamTlsSnapshot;
  readonly followed: Followed;
}

export interface UpstreamBookInputs {
  /** How the addresses of an upstream are discovered. */
  readonly discoveryInputs: (name: string, config: UpstreamConfig) => DiscoveryInputs;
  /** Discovery found something else than before. */
  readonly onChange: (name: string) => void;
  /** A configuration that is taken over waits for answers, in words. */
  readonly onWaiting: (awaited: readonly string[]) => void;
  readonly clock: Pick<Clock, "after">;
}

/** A first look takes longer than this only where somebody is silent. */
const PATIENCE_MS = 1_000;

export class UpstreamBook {
  /** By the configuration that was taken over last. */
  private entries: ReadonlyMap<string, Entry> = new Map();
  /** By the one in force: that, or while its new addresses are looked at for the first time the one before it. */
  private inForce = this.entries;
  /** Those that the last configuration took the place of, by key: still followed, as it may be taken back. */
  private replaced = new Map<string, Followed>();

  constructor(private readonly inputs: UpstreamBookInputs) {}

  /**
   * Takes over a configuration, which is to be published as soon as this settles: when every new address has been
   * looked at once. Until `stopReplaced()` the configuration before can be taken over again, and has lost nothing.
   * @param tls what each of its upstreams has
   */
  async apply(config: Config, tls: ReadonlyMap<string, UpstreamTlsSnapshot>): Promise<void> {
    const before = this.entries;
    const asked = discoveriesOf(before);
    const entries = new Map<string, Entry>();
    for (const [name, upstream] of Object.entries(config.upstreams)) {
      const followed = this.follow(before.get(name)?.followed, name, upstream, asked);
      entries.set(name, { config: upstream, tls: tls.get(name)!, followed });
    }
    this.entries = entries;
    for (const { followed } of entries.values()) this.replaced.delete(followed.key);
    for (const [name, { followed }] of before) {
      if (entries.get(name)?.followed !== followed) this.replaced.set(followed.key, followed);
    }
    const cancel = this.inputs.clock.after(PATIENCE_MS, () => this.inputs.onWaiting(this.awaits()));
    await Promise.all([...entries.values()].map(({ followed }) => followed.discovery.settled));
    cancel();
    this.inForce = entries;
  }

  /** Whose answers the configuration taken over last still waits for, in words: there may be thousands. */
  awaits(): string[] {
    return firstOf(
      [...this.entries].flatMap(([name, { followed }]) =>
        followed.discovery.awaits().map((words) => `${name}: ${words}`)
      ),
    );
  }

  /** Follows no longer what is not in the configuration taken over last. */
  async stopReplaced(): Promise<void> {
    const replaced = [...this.replaced.values()];
    this.replaced.clear();
    await Promise.all(replaced.map(({ discovery }) => discovery.stop()));
  }

  private follow(
    before: Followed | undefined,
    name: string,
    config: UpstreamConfig,
    asked: ReadonlyMap<string, Discovery>,
  ): Followed {
    const key = JSON.stringify([name, config.endpoints, config.discovery]);
    const same = before?.key === key ? before : this.replaced.get(key);
    if (same !== undefined) return same;
    const discovery = new UpstreamDiscovery(
      addressesOf(config),
      this.inputs.discoveryInputs(name, config),
      (source) => before?.discovery.bySource.get(source) ?? asked.get(askedOf(config, source)),
    );
    const followed: Followed = { key, discovery, endpoints: [] };
    this.start(name, followed);
    return followed;
  }

  /** Apart from `follow()`: V8 keeps for one function what any other that is made beside it uses, all those before included. */
  private start(name: string, followed: Followed): void {
    followed.discovery.start((endpoints) => {
      followed.endpoints = endpoints;
      // What another one finds is told with the configuration that it belongs to, if ever.
      if (this.inForce.get(name)?.followed === followed) this.inputs.onChange(name);
    });
  }

  known(name: string): KnownUpstream | undefined {
    const entry = this.inForce.get(name);
    return entry && { name, config: entry.config, endpoints: entry.followed.endpoints, tls: entry.tls };
  }

  all(): KnownUpstream[] {
    return [...this.inForce.keys()].map((name) => this.known(name)!);
  }

  /** What is known of each of its addresses that is looked up; of one that is no more, nothing. */
  describe(name: string): readonly DiscoveryStatus[] {
    return this.inForce.get(name)?.followed.discovery.describe() ?? [];
  }

  async stop(): Promise<void> {
    const entries = [...this.entries.values()].map(({ followed }) => followed);
    await Promise.all([...entries, ...this.replaced.values()].map(({ discovery }) => discovery.stop()));
  }
}

/** What discovers each address, by whom it asks for what: an upstream with another name may go on from it. */
function discoveriesOf(entries: ReadonlyMap<string, Entry>): Map<string, Discovery> {
  return new Map(
    [...entries.values()].flatMap(({ config, followed }) =>
      [...followed.discovery.bySource].map(([source, discovery]) => [askedOf(config, source), discovery])
    ),
  );
}

const askedOf = ({ discovery }: UpstreamConfig, source: string) => `${discovery.nameServer ?? ""} ${source}`;

/** The addresses of an upstream; the schema has refused those that do not parse. */
function addressesOf(config: UpstreamConfig): EndpointAddress[] {
  return config.endpoints.flatMap((entry) => {
    const parsed = parseEndpointEntry(entry);
    return parsed.ok ? [parsed.address] : [];
  });
}
