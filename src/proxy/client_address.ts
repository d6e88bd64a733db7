// Whose word about others counts, and how an address is written for logs, hashing, limits and forwarding alike.
//
// With nobody trusted, the default, a request is from its peer's address, and no header is read for it; else
// `forwarded_fields.ts` reads what the peer says.

import { type IpNetwork, isWithin, parseIp, parseNetwork } from "../config/ip_address.ts";

/** Addresses remembered with their verdict: peers are few and come back. */
const REMEMBERED_MAX = 4_096;

export class TrustedProxies {
  private readonly networks: readonly IpNetwork[];
  private readonly remembered = new Map<string, boolean>();

  /** @param cidrs validated by the schema, e.g. `10.0.0.0/8` or a single address */
  constructor(cidrs: readonly string[]) {
    this.networks = cidrs.map((cidr) => parseNetwork(cidr)!);
  }

  trusts(address: string): boolean {
    if (this.networks.length === 0) return false;
    const known = this.remembered.get(address);
    if (known !== undefined) return known;
    const verdict = this.matches(address);
    if (this.remembered.size >= REMEMBERED_MAX) this.remembered.clear();
    this.remembered.set(address, verdict);
    return verdict;
  }

  private matches(address: string): boolean {
    const ip = parseIp(address);
    return ip !== null && this.networks.some((network) => isWithin(ip, network));
  }
}

/** An address as it is compared and logged. */
export function plainAddress(address: string): string {
  if (address.startsWith("::ffff:") && address.includes(".")) return address.substring(7);
  return address;
}
