// Whose word about others counts, and how an address is written for logs, hashing, limits and forwarding alike.
//
// With nobody trusted, the default, a request is from its peer's address, and no header is read for it; else
// `told.ts` reads what the peer says.

import ipaddr from "ipaddr.js";

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Addresses remembered with their verdict: peers are few and come back. */
const REMEMBERED_MAX = 4_096;

export class TrustedProxies {
  private readonly ranges: Range[];
  private readonly remembered = new Map<string, boolean>();

  /** @param cidrs validated by the schema, e.g. `10.0.0.0/8` or a single address */
  constructor(cidrs: readonly string[]) {
    this.ranges = cidrs.map((cidr) => {
      if (cidr.includes("/")) return ipaddr.parseCIDR(cidr);
      const address = ipaddr.parse(cidr);
      return [address, address.kind() === "ipv4" ? 32 : 128];
    });
  }

  trusts(address: string): boolean {
    if (this.ranges.length === 0) return false;
    const known = this.remembered.get(address);
    if (known !== undefined) return known;
    const verdict = this.matches(address);
    if (this.remembered.size >= REMEMBERED_MAX) this.remembered.clear();
    this.remembered.set(address, verdict);
    return verdict;
  }

  private matches(address: string): boolean {
    if (!ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    return this.ranges.some((range) =>
      range[0].kind() === parsed.kind() && parsed.match(range as [ipaddr.IPv4, number])
    );
  }
}

/** An address as it is compared and logged. */
export function plainAddress(address: string): string {
  if (address.startsWith("::ffff:") && address.includes(".")) return address.substring(7);
  return address;
}
