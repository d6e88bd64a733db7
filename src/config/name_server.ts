// The address of a name server, as operators write it in `discovery.nameServer`. Pure: `values.ts` refuses what
// is none, the resolver asks what is one.

import { parseIpv4, parseIpv6 } from "./ip_address.ts";

export interface NameServer {
  readonly ipAddr: string;
  readonly port: number;
}

/** `address[:port]`, an IPv6 address with a port in brackets; port 53 if none. Null for what is no address. */
export function parseNameServer(text: string): NameServer | null {
  const [, ipAddr = text, port = "53"] = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(text) ??
    /^([^:]*):(\d{1,5})$/.exec(text) ?? [];
  const isAddress = parseIpv6(ipAddr)?.zone === "" || (!text.startsWith("[") && parseIpv4(ipAddr) !== null);
  const isPort = Number(port) >= 1 && Number(port) <= 65_535;
  return isAddress && isPort ? { ipAddr, port: Number(port) } : null;
}
