// The floor of the `serve` listener: what `Deno.serve` and one bare exchange on a raw connection cost.
//
// Each request writes the same fixed request to an origin, on a persistent connection, and reads until the
// answer of known size is in; then it answers with a fixed body of that size. No head is parsed, no header
// copied, no byte passed on: a proxy on `Deno.serve` and `Deno.connect` cannot cost less. GET only.

const ports = (Deno.env.get("UPSTREAMS") ?? "").split(",").map((url) => Number(new URL(url).port));
const answer = Deno.env.get("ANSWER") ?? "";
const bodyBytes = Number(Deno.env.get("ANSWER_BYTES"));
const [cert, key] = ["CERT", "KEY"].map((name) => Deno.env.get(name));
const tls = cert && key ? { cert: Deno.readTextFileSync(cert), key: Deno.readTextFileSync(key) } : {};
const request = new TextEncoder().encode(`GET /${answer} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
const body = new Uint8Array(bodyBytes).fill(120);
const options = { headers: { "content-type": "text/plain", "content-length": String(bodyBytes) } };

interface Link {
  readonly connection: Deno.TcpConn;
  readonly buffer: Uint8Array<ArrayBuffer>;
}

const idle: Link[] = [];
let turn = 0;
const headBytes = await measureHead();

/** The origin's head has one size for every answer; the first answer tells it. */
async function measureHead(): Promise<number> {
  const link = await open();
  await link.connection.write(request);
  let text = "";
  while (!text.includes("\r\n\r\n")) {
    const read = await link.connection.read(link.buffer) ?? 0;
    text += new TextDecoder("latin1").decode(link.buffer.subarray(0, read));
  }
  link.connection.close();
  return text.indexOf("\r\n\r\n") + 4;
}

async function open(): Promise<Link> {
  const port = ports[turn++ % ports.length] ?? 0;
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  return { connection, buffer: new Uint8Array(64 * 1024) };
}

async function exchange(): Promise<Response> {
  const link = idle.pop() ?? await open();
  await link.connection.write(request);
  let left = headBytes + bodyBytes;
  while (left > 0) {
    const read = await link.connection.read(link.buffer);
    if (read === null) throw new Error("the origin closed the connection");
    left -= read;
  }
  idle.push(link);
  return new Response(body, options);
}

Deno.serve({
  ...tls,
  hostname: "127.0.0.1",
  port: Number(Deno.env.get("PORT")),
  reusePort: true,
  automaticCompression: false,
  onListen: () => {},
  handler: exchange,
});
