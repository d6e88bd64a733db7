// The origins when nginx is not installed: raw TCP answers from one Deno process on as many ports as needed.
//
// It reads just enough of HTTP/1.1 for the benchmark: requests in order on one connection, a head that ends in
// an empty line, a body by Content-Length or chunked by a proxy that streams. Every answer is prepared once.

const PAYLOADS: Readonly<Record<string, number>> = JSON.parse(Deno.env.get("PAYLOADS") ?? "{}");
const PORTS = (Deno.env.get("PORTS") ?? "").split(",").map(Number);
const latin1 = new TextDecoder("latin1");
const answers = new Map<string, Uint8Array>();
for (const [name, bytes] of Object.entries(PAYLOADS)) {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${bytes}\r\n\r\n`;
  answers.set(`/${name}`, new TextEncoder().encode(head + "x".repeat(bytes)));
}
const notFound = new TextEncoder().encode("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");

for (const port of PORTS) accept(Deno.listen({ hostname: "127.0.0.1", port }));

async function accept(listener: Deno.TcpListener): Promise<void> {
  for await (const connection of listener) {
    connection.setNoDelay(true);
    serve(connection).catch(() => {}).finally(() => connection.close());
  }
}

async function serve(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  for (;;) {
    const headEnd = text.indexOf("\r\n\r\n");
    if (headEnd < 0) {
      const read = await connection.read(buffer);
      if (read === null) return;
      text += latin1.decode(buffer.subarray(0, read));
      continue;
    }
    const head = text.slice(0, headEnd);
    text = await skipBody(connection, buffer, head, text.slice(headEnd + 4));
    await writeAll(connection, answers.get(head.split(" ", 2)[1] ?? "") ?? notFound);
    if (/\r\nconnection: *close/i.test(head) || head.endsWith("HTTP/1.0")) return;
  }
}

/** Reads the body away; returns what arrived behind it. */
async function skipBody(
  connection: Deno.TcpConn,
  buffer: Uint8Array,
  head: string,
  rest: string,
): Promise<string> {
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
    while (!/(^|\r\n)0\r\n\r\n$/.test(rest)) {
      const read = await connection.read(buffer);
      if (read === null) throw new Error("closed mid-body");
      rest = rest.slice(-7) + latin1.decode(buffer.subarray(0, read));
    }
    return "";
  }
  let left = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0) - rest.length;
  if (left <= 0) return rest.slice(rest.length + left);
  while (left > 0) {
    const read = await connection.read(buffer);
    if (read === null) throw new Error("closed mid-body");
    left -= read;
  }
  return "";
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}
