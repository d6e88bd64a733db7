// WebSockets frame by frame, for stories that real clients cannot tell: a step for the scripted origin, and a
// raw client's handshake. Frames are Weir's own codec; that it speaks the language of others is shown by the
// scenarios with the `ws` package and with Chromium.

import { FrameReader, type Incoming } from "../../src/http1/frame_reader.ts";
import { closePayload, Opcode, writeFrame } from "../../src/http1/frames.ts";
import { acceptOf } from "../../src/proxy/websocket_handshake.ts";
import type { Stage, Step } from "./origin_steps.ts";
import { type RawClient, requestText } from "./raw_client.ts";
import { type Header, header, latin1 } from "./raw_http.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const MESSAGE_BYTES_MAX = 64_000_000;

/** One side of an open WebSocket. */
export class Peer {
  readonly #reader: FrameReader;
  readonly #come: Incoming[] = [];

  constructor(
    private readonly bytes: {
      some(): Promise<Uint8Array | null>;
      send(bytes: Uint8Array): Promise<boolean>;
    },
    private readonly role: "client" | "server",
  ) {
    this.#reader = new FrameReader(role === "client" ? "server" : "client", MESSAGE_BYTES_MAX);
  }

  /** Sends one frame; false when the other side was gone before the kernel had it. */
  frame(opcode: Opcode, payload: string | Uint8Array, final = true): Promise<boolean> {
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    const key = this.role === "client" ? new Uint8Array([1, 2, 3, 4]) : null;
    return this.bytes.send(writeFrame(opcode, bytes, key, final));
  }

  send(message: string | Uint8Array): Promise<boolean> {
    return this.frame(typeof message === "string" ? Opcode.text : Opcode.binary, message);
  }

  close(code: number | null = null, reason = ""): Promise<boolean> {
    return this.frame(Opcode.close, closePayload({ code, reason }));
  }

  /** Sends these bytes whatever they are. */
  raw(bytes: Uint8Array): Promise<boolean> {
    return this.bytes.send(bytes);
  }

  /** What the other side says next; null when its connection ended. */
  async next(): Promise<Incoming | null> {
    while (this.#come.length === 0) {
      const bytes = await this.bytes.some();
      if (bytes === null) return null;
      this.#come.push(...this.#reader.read(bytes));
    }
    return this.#come.shift()!;
  }

  /** The next message: text as text, binary as bytes. @throws when something else comes */
  async message(): Promise<string | Uint8Array> {
    const next = await this.next();
    if (next?.kind === "text") return next.text;
    if (next?.kind === "binary") return next.data;
    throw new Error(`no message but ${JSON.stringify(next)}`);
  }

  /** The close code that comes next, null for a close without one, "broken" for an end without a close. */
  async closed(): Promise<number | null | "broken"> {
    for (;;) {
      const next = await this.next();
      if (next === null) return "broken";
      if (next.kind === "close") return next.words.code;
    }
  }
}

/** Answers the handshake with 101, then plays its side; the connection closes when that has returned. */
export function webSocket(
  play: (peer: Peer) => Promise<unknown>,
  { headers = [], protocol }: { headers?: readonly Header[]; protocol?: string } = {},
): Step {
  return {
    async play(stage: Stage) {
      const lines: Header[] = [
        ["Upgrade", "websocket"],
        ["Connection", "Upgrade"],
        ["Sec-WebSocket-Accept", acceptOf(header(stage.headers, "sec-websocket-key") ?? "")],
        ...(protocol === undefined ? [] : [["Sec-WebSocket-Protocol", protocol]] as const),
        ...headers,
      ];
      const { socket } = stage;
      const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
      await socket.write(latin1(`HTTP/1.1 101 Switching Protocols\r\n${text}\r\n`));
      await play(new Peer({ some: () => stage.some(), send: (bytes) => socket.write(bytes) }, "server"));
      await socket.close();
    },
  };
}

/** Sends back every message, answers pings, and a close with the same code. */
export const echo: Step = webSocket(async (peer) => {
  for (let next = await peer.next(); next !== null; next = await peer.next()) {
    if (next.kind === "text") await peer.send(next.text);
    if (next.kind === "binary") await peer.send(next.data);
    if (next.kind === "ping") await peer.frame(Opcode.pong, next.data);
    if (next.kind === "close") {
      await peer.close(next.words.code);
      return;
    }
  }
});

/** The header lines of a handshake; those given replace the usual ones of the same name. */
export function handshake(target = "/", headers: readonly Header[] = [], method = "GET"): string {
  const usual: readonly Header[] = [
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
    ["Sec-WebSocket-Version", "13"],
    ["Sec-WebSocket-Key", KEY],
  ];
  const kept = usual.filter(([name]) => header(headers, name) === undefined);
  return requestText(method, target, [...kept, ...headers].filter(([, value]) => value !== ""));
}

/** Opens a WebSocket; `answer` is Weir's 101. @throws when the answer is another */
export async function open(
  client: RawClient,
  target = "/",
  headers: readonly Header[] = [],
): Promise<Peer & { answer: readonly Header[] }> {
  await client.send(handshake(target, headers));
  const head = await client.head();
  if (!head?.firstLine.startsWith("HTTP/1.1 101")) throw new Error(`no 101: ${head?.text}`);
  if (header(head.headers, "sec-websocket-accept") !== acceptOf(KEY)) throw new Error("wrong accept");
  return Object.assign(new Peer(client, "client"), { answer: head.headers });
}
