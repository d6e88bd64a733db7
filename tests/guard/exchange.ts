// The two ends of the guard's exchanges, as plain as they can be: an origin that answers the same bytes to
// whatever it is asked, and a client that asks the same, one exchange after the other.

const latin1 = new TextDecoder("latin1");

export interface Scene {
  readonly request: Uint8Array;
  readonly answer: Uint8Array;
}

/** @param uploadBytes 0 is a GET. */
export function scene(uploadBytes: number, answerBytes: number): Scene {
  const line = uploadBytes === 0 ? "GET / HTTP/1.1" : `POST / HTTP/1.1\r\nContent-Length: ${uploadBytes}`;
  const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${answerBytes}`;
  return {
    request: message(`${line}\r\nHost: guard.test\r\nUser-Agent: guard\r\nAccept: */*`, uploadBytes),
    answer: message(head, answerBytes),
  };
}

function message(head: string, bodyBytes: number): Uint8Array {
  return new TextEncoder().encode(`${head}\r\n\r\n${"x".repeat(bodyBytes)}`);
}

export class Origin implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conversations: Promise<void>[] = [];
  readonly #accepting = this.#accept();

  constructor(private readonly answer: Uint8Array) {}

  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) this.#conversations.push(this.#converse(conn));
  }

  async #converse(conn: Deno.TcpConn): Promise<void> {
    using _ = conn;
    conn.setNoDelay(true);
    const room = new Uint8Array(ROOM_BYTES);
    while (await receive(conn, room) !== null) await send(conn, this.answer);
  }

  /** Once the other side has closed its connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    await Promise.allSettled(this.#conversations);
  }
}

/** So many exchanges on a new connection. @throws when an answer is not 200 or the connection ends. */
export async function exchange(port: number, { request }: Scene, times: number): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  const room = new Uint8Array(ROOM_BYTES);
  for (let turn = 0; turn < times; turn++) {
    await send(conn, request);
    const head = await receive(conn, room);
    if (!head?.startsWith("HTTP/1.1 200 ")) throw new Error(`no answer but: ${head}`);
  }
}

async function send(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
}

/** Room for the largest message. */
const ROOM_BYTES = 512 * 1024;

/** The head of one whole message; null when the connection ends before. Nothing is pipelined. */
async function receive(conn: Deno.TcpConn, bytes: Uint8Array): Promise<string | null> {
  let [filled, end, head] = [0, Infinity, ""];
  while (filled < end) {
    const count = await conn.read(bytes.subarray(filled));
    if (count === null) return null;
    filled += count;
    if (end !== Infinity) continue;
    head = latin1.decode(bytes.subarray(0, Math.min(filled, 4096)));
    const headEnd = head.indexOf("\r\n\r\n");
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0;
    if (headEnd >= 0) end = headEnd + 4 + Number(length);
  }
  return head;
}
