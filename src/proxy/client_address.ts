// The one address that a request is from: used by logs, hashing, limits and forwarding alike.
//
// Read from right to left through peers that the operator trusts, stopping at the first that is not
// (RFC 7239 8.1). With nobody trusted, the default, it is the peer's address and no header is read.

import ipaddr from "ipaddr.js";
import { headerValues, type RequestHead } from "../exchange.ts";

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

  /** The client's address, given the peer's. IPv6 without brackets; IPv4-mapped as IPv4. */
  clientAddress(peer: string, head: RequestHead): string {
    const own = plainAddress(peer);
    if (this.ranges.length === 0 || !this.trusts(own)) return own;
    const hops = headerValues(head.headers, "x-forwarded-for").join(",").split(",");
    let client = own;
    for (let i = hops.length - 1; i >= 0; i--) {
      const hop = hopAddress(hops[i]!.trim());
      if (hop === null) return client;
      client = hop;
      if (!this.trusts(hop)) return client;
    }
    return client;
  }
}

/** An address as it is compared and logged. */
export function plainAddress(address: string): string {
  if (address.startsWith("::ffff:") && address.includes(".")) return address.substring(7);
  return address;
}

/** The address of a hop in any of the forms that occur: with a port, in brackets; null when it is none. */
function hopAddress(hop: string): string | null {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(hop);
  const withPort = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop);
  const address = bracketed?.[1] ?? withPort?.[1] ?? hop;
  return ipaddr.isValid(address) ? plainAddress(ipaddr.process(address).toString()) : null;
}
