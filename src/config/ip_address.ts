// IP addresses: read from text, compared with networks, written in the one form that everybody gets.
//
// Pure. IPv4 is four decimal numbers and nothing else (`10.1`, `0x7f.1` and `010.0.0.1` are no addresses here: readers
// disagree on them); IPv6 is written as RFC 5952 has it.

export interface IpAddress {
  readonly version: 4 | 6;
  /** Four bytes, or eight groups of 16 bits. */
  readonly parts: readonly number[];
  /** The interface that a link-local address is of (RFC 4007); "" for none. */
  readonly zone: string;
}

/** An address and how many of its first bits count. */
export interface IpNetwork extends IpAddress {
  readonly length: number;
}

const BYTE = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = new RegExp(`^${BYTE}\\.${BYTE}\\.${BYTE}\\.${BYTE}$`);
const GROUP = /^[0-9a-f]{1,4}$/i;
const ZONE = /%([0-9a-z]+)$/i;

/** Null for what is none. */
export function parseIpv4(text: string): IpAddress | null {
  const bytes = IPV4.exec(text)?.slice(1).map(Number);
  return bytes === undefined ? null : { version: 4, parts: bytes, zone: "" };
}

/** Without brackets; null for what is none. */
export function parseIpv6(text: string): IpAddress | null {
  const zone = ZONE.exec(text)?.[1] ?? "";
  const halves = (zone === "" ? text : text.slice(0, -zone.length - 1)).split("::");
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half, i) => groupsIn(half, i === halves.length - 1));
  if (head == null || tail === null) return null;
  const missing = 8 - head.length - (tail?.length ?? 0);
  // `::` stands for one group at least.
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  return { version: 6, parts: [...head, ...new Array(missing).fill(0), ...tail ?? []], zone };
}

/** Groups between colons, of which the last two may be written as an IPv4 address; null for what is none. */
function groupsIn(text: string, last: boolean): number[] | null {
  if (text === "") return [];
  const groups: number[] = [];
  const words = text.split(":");
  for (const [i, word] of words.entries()) {
    if (GROUP.test(word)) {
      groups.push(parseInt(word, 16));
      continue;
    }
    const four = last && i === words.length - 1 ? parseIpv4(word) : null;
    if (four === null) return null;
    const [a, b, c, d] = four.parts as [number, number, number, number];
    groups.push(a << 8 | b, c << 8 | d);
  }
  return groups;
}

/** Either; an IPv4 address that is written as IPv6 (`::ffff:10.0.0.1`) is one of IPv4. Null for what is none. */
export function parseIp(text: string): IpAddress | null {
  if (!text.includes(":")) return parseIpv4(text);
  const six = parseIpv6(text);
  if (six === null) return null;
  const [high, low] = six.parts.slice(6) as [number, number];
  const isMapped = six.parts.slice(0, 5).every((group) => group === 0) && six.parts[5] === 0xffff;
  if (!isMapped) return six;
  return { version: 4, parts: [high >> 8, high & 0xff, low >> 8, low & 0xff], zone: "" };
}

/** A network (`10.0.0.0/8`), or an address as the network of itself; null for what is neither. */
export function parseNetwork(text: string): IpNetwork | null {
  const [address = "", length] = text.split(/\/(.*)/s);
  const ip = parseIpv4(address) ?? parseIpv6(address);
  if (ip === null || ip.zone !== "") return null;
  const bits = ip.version === 4 ? 32 : 128;
  if (length === undefined) return { ...ip, length: bits };
  return /^\d{1,3}$/.test(length) && Number(length) <= bits ? { ...ip, length: Number(length) } : null;
}

export function isWithin(address: IpAddress, network: IpNetwork): boolean {
  if (address.version !== network.version) return false;
  return address.parts.every((part, i) => (part ^ network.parts[i]!) >> freeBits(network, i) === 0);
}

/** The network as it is usually written: by its first address. */
export function renderNetwork(network: IpNetwork): string {
  const parts = network.parts.map((part, i) => part >> freeBits(network, i) << freeBits(network, i));
  return `${renderIp({ ...network, parts })}/${network.length}`;
}

/** How many bits of one of its parts do not count. */
function freeBits({ version, length }: IpNetwork, part: number): number {
  const width = version === 4 ? 8 : 16;
  return width - Math.min(width, Math.max(0, length - part * width));
}

export function renderIp({ version, parts, zone }: IpAddress): string {
  if (version === 4) return parts.join(".");
  const text = renderGroups(parts);
  return zone === "" ? text : `${text}%${zone}`;
}

/** RFC 5952 4.2: `::` for the longest run of zeros, the first of several, but not for a single one. */
function renderGroups(groups: readonly number[]): string {
  let from = 0;
  let longest = 1;
  for (let i = 0; i < groups.length; i++) {
    let end = i;
    while (groups[end] === 0) end++;
    if (end - i > longest) [from, longest] = [i, end - i];
    i = Math.max(i, end - 1);
  }
  const hex = groups.map((group) => group.toString(16));
  if (longest === 1) return hex.join(":");
  return `${hex.slice(0, from).join(":")}::${hex.slice(from + longest).join(":")}`;
}
