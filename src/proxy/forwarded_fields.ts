// What a trusted peer says of whom it stands before: the client's address, and the host and scheme it asked for.
//
// Called by `journey.ts` for peers in `trustedProxies`; what strangers say is not read. An entry of a list is the
// word of whoever is named right of it, so lists are read from right to left, and the first entry that no trusted
// proxy wrote ends them (RFC 7239 8.1). Of X-Forwarded-* and Forwarded only one is believed: a proxy that does not
// set the other lets its clients write it.

import { parseIp, renderIp } from "../config/ip_address.ts";
import type { HeadersConfig } from "../config/schema.ts";
import type { HeaderLines, RequestHead } from "../exchange.ts";
import { Known, knownHeader } from "../http1/known.ts";
import type { TrustedProxies } from "./client_address.ts";

/** What a trusted peer told of the client, text as it came; "" for what it did not. */
export interface Told {
  /** Address of the client; the peer's own when it names nobody. */
  readonly client: string;
  /** X-Forwarded-For up to the peer; "" for nobody. */
  readonly addresses: string;
  /** The host that the client asked for; "" for not told. */
  readonly host: string;
  /** The scheme; "" for not told. */
  readonly proto: string;
  /** Forwarded from the client up to the peer, when it is to be sent on; "" for nothing. */
  readonly elements: string;
}

/** @param peer as `plainAddress` has it; the operator trusts it */
export function toldBy(
  peer: string,
  headers: HeaderLines,
  proxies: TrustedProxies,
  { trustedFields, forwarded }: Pick<HeadersConfig, "trustedFields" | "forwarded">,
): Told {
  let addresses = "";
  let host = "";
  let proto = "";
  let elements = "";
  for (let i = 0; i < headers.length; i += 2) {
    const known = knownHeader(headers[i]!);
    const value = headers[i + 1]!;
    if (known === Known.xForwardedFor) addresses = joined(addresses, value);
    else if (known === Known.forwarded) elements = joined(elements, value);
    else if (known === Known.xForwardedHost) host = joined(host, value);
    else if (known === Known.xForwardedProto) proto = joined(proto, value);
  }
  if (trustedFields === "either" ? addresses + host + proto === "" : trustedFields === "forwarded") {
    return byForwarded(peer, elements, proxies);
  }
  const { client, between } = byAddresses(addresses, proxies);
  const translates = forwarded && client !== null;
  return {
    client: client ?? peer,
    addresses,
    host,
    proto,
    elements: translates ? forwardedElement(client, host, proto) + between : "",
  };
}

/** Several lines are one list (RFC 9110 5.3). */
function joined(list: string, value: string): string {
  return list === "" ? value : `${list}, ${value}`;
}

/**
 * How the client asked and whom, as a trusted peer tells it; as this request does where nothing is told, or nothing
 * that could be one. Of a list the first is the client's.
 */
export function askedFor(
  { scheme, authority }: Pick<RequestHead, "scheme" | "authority">,
  told: Told | null,
): { readonly scheme: string; readonly authority: string } {
  const proto = firstOf(told?.proto ?? "").toLowerCase();
  const host = firstOf(told?.host ?? "");
  return { scheme: PROTO.test(proto) ? proto : scheme, authority: HOST.test(host) ? host : authority };
}

function firstOf(list: string): string {
  const comma = list.indexOf(",");
  return (comma < 0 ? list : list.substring(0, comma)).trim();
}

/** The client that X-Forwarded-For names, null for nobody, and Forwarded for the proxies between it and the peer. */
function byAddresses(list: string, proxies: TrustedProxies) {
  let client: string | null = null;
  let between = "";
  for (let end = list.length; end > 0;) {
    const start = list.lastIndexOf(",", end - 1) + 1;
    const hop = hopAddress(list.substring(start, end).trim());
    if (hop === null) break;
    if (client !== null) between = `, ${forwardedElement(client, "", "")}${between}`;
    client = hop;
    if (!proxies.trusts(hop)) break;
    end = start - 1;
  }
  return { client, between };
}

/** The address of a hop in any of the forms that occur: with a port, in brackets; null when it is none. */
function hopAddress(hop: string): string | null {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(hop);
  const withPort = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop);
  const address = bracketed?.[1] ?? withPort?.[1] ?? hop;
  const ip = parseIp(address);
  return ip === null ? null : renderIp(ip);
}

/** Host and scheme are those of the element that names the client, or of the nearest after it that has them. */
function byForwarded(peer: string, list: string, proxies: TrustedProxies): Told {
  let client = peer;
  let addresses = "";
  let host = "";
  let proto = "";
  let from = list.length;
  for (let end = list.length; end > 0;) {
    // A comma in a quoted string makes two halves of it that are no elements: that ends the list.
    const start = list.lastIndexOf(",", end - 1) + 1;
    const element = readElement(list.substring(start, end));
    if (element === null) break;
    from = start;
    host = element.host ?? host;
    proto = element.proto ?? proto;
    if (element.address === null) break;
    client = element.address;
    addresses = addresses === "" ? client : `${client}, ${addresses}`;
    if (!proxies.trusts(client)) break;
    end = start - 1;
  }
  return { client, addresses, host, proto, elements: list.substring(from).trim() };
}

interface Element {
  /** Null: unknown, hidden or not said. */
  readonly address: string | null;
  readonly host: string | undefined;
  readonly proto: string | undefined;
}

// RFC 7239 4: a token and `=`, then a token or a quoted string, up to `;` or the end.
const PAIR = /[ \t]*([!#$%&'*+.^_`|~\w-]+)=(?:([!#$%&'*+.^_`|~\w-]+)|"((?:[^"\\]|\\.)*)")[ \t]*(?:;|$)/y;
// RFC 7239 6: an address or a word for one, with or without a port or a word for one.
const NODE = /^(?:([\d.]+)|\[([\da-f:.]+)\]|unknown|_[\w.-]+)(?::(?:\d{1,5}|_[\w.-]+))?$/i;
// RFC 3986 3.2.2, but for the comma.
const HOST = /^[\w.:%~[\]!$&'()*+;=-]+$/;
const PROTO = /^[a-z][a-z\d+.-]*$/i;

/** One element of Forwarded (RFC 7239 4); null when it is malformed. */
function readElement(text: string): Element | null {
  const said = new Map<string, string>();
  PAIR.lastIndex = 0;
  do {
    const pair = PAIR.exec(text);
    if (pair === null) return null;
    const name = pair[1]!.toLowerCase();
    // RFC 7239 4: each parameter once.
    if (said.has(name)) return null;
    said.set(name, pair[2] ?? pair[3]!.replace(/\\(.)/g, "$1"));
  } while (PAIR.lastIndex < text.length);
  const host = said.get("host");
  const proto = said.get("proto")?.toLowerCase();
  const node = said.get("for");
  if (host !== undefined && !HOST.test(host)) return null;
  if (proto !== undefined && !PROTO.test(proto)) return null;
  if (node === undefined) return { address: null, host, proto };
  const parts = NODE.exec(node);
  if (parts === null) return null;
  const [, v4, v6] = parts;
  const named = v4 ?? v6;
  if (named === undefined) return { address: null, host, proto };
  // What stands in brackets is IPv6.
  const ip = v4 === undefined && !named.includes(":") ? null : parseIp(named);
  return ip === null ? null : { address: renderIp(ip), host, proto };
}

/** One element of Forwarded; of a list the first counts, and one that it cannot hold is left out, as "" is. */
export function forwardedElement(address: string, hosts: string, protos: string): string {
  const node = address.includes(":") ? `"[${address}]"` : address;
  const host = firstOf(hosts);
  const proto = firstOf(protos);
  return `for=${node}${HOST.test(host) ? `;host="${host}"` : ""}${
    PROTO.test(proto) ? `;proto=${proto}` : ""
  }`;
}
