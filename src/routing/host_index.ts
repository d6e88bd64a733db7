// The entries of a router by host: one tier for each host pattern, looked up and not searched.
// A request gets the tiers of all patterns its host fulfils, most specific first.

import { effectivePort, splitAuthority } from "./host_pattern.ts";
import type { Entry } from "./precedence.ts";

export class HostIndex<Tier> {
  private readonly exact = new Map<string, Tier>();
  /** By what the host ends with, its dot in front. */
  private readonly wildcards = new Map<string, Tier>();
  private readonly any = new Map<string, Tier>();
  /** Lengths of the wildcards' endings, longest first. */
  private readonly endings: number[];
  private readonly anyPortWritten: boolean;
  private readonly anyHostOnly: readonly Tier[] | null;
  // Requests come in runs for one host: the last answer is kept.
  private lastAuthority = "";
  private lastScheme = "";
  private lastTiers: readonly Tier[] | null = null;

  /** `entries` in order of rank; `tierOf` makes the tier of those that share a host pattern. */
  constructor(entries: readonly Entry[], tierOf: (entries: readonly Entry[]) => Tier) {
    const groups = Map.groupBy(entries, ({ host }) => `${host.kind} ${keyOf(host.name, host.port)}`);
    for (const group of groups.values()) {
      const { kind, name, port } = group[0]!.host;
      const map = kind === "exact" ? this.exact : kind === "wildcard" ? this.wildcards : this.any;
      map.set(keyOf(name, port), tierOf(group));
    }
    const endings = entries.filter(({ host }) => host.kind === "wildcard").map(({ host }) =>
      host.name.length
    );
    // By rank the longer wildcard comes first.
    this.endings = [...new Set(endings)];
    this.anyPortWritten = entries.some(({ host }) => host.port !== null);
    const onlyAny = this.exact.size + this.wildcards.size === 0 && !this.anyPortWritten;
    this.anyHostOnly = onlyAny ? [...this.any.values()] : null;
  }

  /** The tiers for an authority, most specific first; empty when the host is unknown. */
  find(authority: string, scheme: "http" | "https"): readonly Tier[] {
    if (this.anyHostOnly !== null) return this.anyHostOnly;
    if (this.lastTiers !== null && authority === this.lastAuthority && scheme === this.lastScheme) {
      return this.lastTiers;
    }
    this.lastTiers = this.lookUp(authority, scheme);
    this.lastAuthority = authority;
    this.lastScheme = scheme;
    return this.lastTiers;
  }

  private lookUp(authority: string, scheme: "http" | "https"): Tier[] {
    const { name, port: written } = splitAuthority(authority);
    const port = effectivePort(written, scheme);
    const tiers: Tier[] = [];
    this.collect(tiers, this.exact, name, port);
    for (const length of this.endings) {
      const start = name.length - length;
      if (start > 0 && name.charCodeAt(start) === 0x2e) {
        this.collect(tiers, this.wildcards, name.slice(start), port);
      }
    }
    this.collect(tiers, this.any, "", port);
    return tiers;
  }

  private collect(tiers: Tier[], map: Map<string, Tier>, name: string, port: number): void {
    const withPort = this.anyPortWritten ? map.get(keyOf(name, port)) : undefined;
    if (withPort !== undefined) tiers.push(withPort);
    const withoutPort = map.get(name);
    if (withoutPort !== undefined) tiers.push(withoutPort);
  }
}

// A blank is in no host, so that no name can be taken for a name with a port.
function keyOf(name: string, port: number | null): string {
  return port === null ? name : `${name} ${port}`;
}
