// A name server that answers as a test says, over UDP and TCP on one loopback port.

/** What to answer for a name: records, or a way to fail. An answer too large for UDP is truncated there. */
export type DnsAnswer =
  | { readonly a?: readonly string[]; readonly aaaa?: readonly string[]; readonly srv?: readonly Srv[] }
  | "nxdomain"
  | "servfail"
  | "silence";

export interface Srv {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

const TYPE = { A: 1, AAAA: 28, SRV: 33 } as const;
const UDP_BYTES_MAX = 512;
const [QUERY_RESPONSE, TRUNCATED] = [0x8180, 0x0200];

export class ScriptedDns implements AsyncDisposable {
  /** By name, without the trailing dot. A name that is not here does not exist. */
  readonly answers = new Map<string, DnsAnswer>();
  /** Every question: `udp A name`. */
  readonly asked: string[] = [];
  #udp: Deno.DatagramConn;
  #tcp: Deno.Listener;
  #serving: Promise<unknown>;
  #wanted: { count: number; resolve: () => void }[] = [];

  constructor() {
    this.#tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#udp = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: this.port });
    this.#serving = Promise.all([this.#serveUdp(), this.#serveTcp()]);
  }

  get port(): number {
    return (this.#tcp.addr as Deno.NetAddr).port;
  }

  /** Settles when that many questions have come. */
  questions(count: number): Promise<void> {
    if (this.asked.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#wanted.push({ count, resolve }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#udp.close();
    this.#tcp.close();
    await this.#serving;
  }

  async #serveUdp(): Promise<void> {
    for await (const [query, peer] of this.#udp) {
      const answer = this.#answer(query, "udp");
      if (answer !== null) await this.#udp.send(answer, peer);
    }
  }

  async #serveTcp(): Promise<void> {
    for await (const conn of this.#tcp) {
      // A resolver that gave up may leave with half a query, or before its answer.
      const query = await readQuery(conn).catch(() => null);
      const answer = query === null ? null : this.#answer(query, "tcp");
      if (answer !== null) {
        await writeAll(conn, [answer.length >> 8, answer.length & 255, ...answer]).catch(() => {});
      }
      conn.close();
    }
  }

  #answer(query: Uint8Array, transport: "udp" | "tcp"): Uint8Array | null {
    const { name, type, end } = questionOf(query);
    const typeName = Object.entries(TYPE).find(([, number]) => number === type)?.[0] ?? String(type);
    this.asked.push(`${transport} ${typeName} ${name}`);
    for (const { resolve } of this.#wanted.filter(({ count }) => this.asked.length >= count)) resolve();
    const answer = this.answers.get(name) ?? "nxdomain";
    if (answer === "silence") return null;
    const records = typeof answer === "string" ? [] : recordsOf(answer, type);
    const code = answer === "nxdomain" ? 3 : answer === "servfail" ? 2 : 0;
    const whole = message(query, end, QUERY_RESPONSE | code, records);
    if (transport === "tcp" || whole.length <= UDP_BYTES_MAX) return whole;
    return message(query, end, QUERY_RESPONSE | TRUNCATED, []);
  }
}

/** One query over TCP, two bytes of length before it (RFC 1035 4.2.2); null when the peer left before its end. */
async function readQuery(conn: Deno.Conn): Promise<Uint8Array | null> {
  const bytes = new Uint8Array(2_048);
  let length = 2;
  for (let read = 0; read < length;) {
    const count = await conn.read(bytes.subarray(read, length));
    if (count === null) return null;
    read += count;
    if (read === 2 && length === 2) length = 2 + Math.min(bytes.length - 2, bytes[0]! << 8 | bytes[1]!);
  }
  return bytes.subarray(2, length);
}

function questionOf(query: Uint8Array): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length !== 0; length = query[at]!) {
    labels.push(new TextDecoder().decode(query.subarray(at + 1, at + 1 + length)));
    at += length + 1;
  }
  return { name: labels.join(".").toLowerCase(), type: query[at + 1]! << 8 | query[at + 2]!, end: at + 5 };
}

/** The data of every record of a type. */
function recordsOf(answer: Exclude<DnsAnswer, string>, type: number): { type: number; data: number[] }[] {
  if (type === TYPE.A) return (answer.a ?? []).map((ip) => ({ type, data: ip.split(".").map(Number) }));
  if (type === TYPE.AAAA) return (answer.aaaa ?? []).map((ip) => ({ type, data: ipv6Bytes(ip) }));
  if (type !== TYPE.SRV) return [];
  return (answer.srv ?? []).map(({ priority, weight, port, target }) => ({
    type,
    data: [...[priority, weight, port].flatMap(twoBytes), ...nameBytes(target)],
  }));
}

function message(
  query: Uint8Array,
  questionEnd: number,
  flags: number,
  records: readonly { type: number; data: number[] }[],
): Uint8Array {
  const head = [query[0]!, query[1]!, ...twoBytes(flags), 0, 1, ...twoBytes(records.length), 0, 0, 0, 0];
  const body = records.flatMap(({ type, data }) => [
    // A pointer to the name in the question, the class IN, a TTL of 60 s.
    ...[0xc0, 12, ...twoBytes(type), 0, 1, 0, 0, 0, 60],
    ...twoBytes(data.length),
    ...data,
  ]);
  return Uint8Array.from([...head, ...query.subarray(12, questionEnd), ...body]);
}

function twoBytes(value: number): number[] {
  return [value >> 8, value & 255];
}

function nameBytes(name: string): number[] {
  const labels = name.split(".").filter((label) => label !== "");
  return [...labels.flatMap((label) => [label.length, ...new TextEncoder().encode(label)]), 0];
}

/** Of an address written in full or with one `::`. */
function ipv6Bytes(ip: string): number[] {
  const [before = "", after] = ip.split("::");
  const groups = (part: string) => part === "" ? [] : part.split(":");
  const [left, right] = [groups(before), groups(after ?? "")];
  const gap = new Array<string>(8 - left.length - right.length).fill("0");
  return [...left, ...gap, ...right].flatMap((group) => twoBytes(parseInt(group, 16)));
}

async function writeAll(conn: Deno.Conn, bytes: readonly number[]): Promise<void> {
  const all = Uint8Array.from(bytes);
  let sent = 0;
  while (sent < all.length) sent += await conn.write(all.subarray(sent));
}
