// What a scripted origin can do, one word each, so that a scenario reads like a screenplay:
//   startOrigin([reply(200, { body: "hello" }), reset(), scene(interim(103), reply(204))])
//
// A step plays on a Stage: one request that has arrived, and the connection it came by. The request's body
// is read first, except where `afterHead()` says that the origin does not wait for it.

import { type Header, header, latin1 } from "./raw_http.ts";
import type { RawSocket } from "./raw_socket.ts";
import { STATUS_TEXT } from "@std/http/status";

/** The request being answered, as far as a step needs it. */
export interface Stage {
  readonly method: string;
  readonly headers: readonly Header[];
  readonly socket: RawSocket;
  /** Reads on and throws the bytes away until the peer leaves. */
  untilPeerLeaves(): Promise<void>;
  /** Reads the request's body now (only needed after `afterHead`). */
  readBody(): Promise<void>;
  /** Takes the next raw bytes off the connection instead: for bodies too large to keep. */
  some(): Promise<Uint8Array | null>;
}

export interface Step {
  /** True: plays as soon as the request's head is there. */
  readonly early?: boolean;
  play(stage: Stage): Promise<unknown>;
}

export interface Answer {
  readonly reason?: string;
  /** Header lines in order; a Content-Length is added unless they frame the body themselves. */
  readonly headers?: readonly Header[];
  /** Latin-1 text or bytes. */
  readonly body?: string | Uint8Array;
}

/** A whole answer of known length; the connection stays open. */
export function reply(status: number, answer: Answer = {}): Step {
  const body = bytesOf(answer.body ?? "");
  return step(async ({ method, socket }) => {
    const headers = [...answer.headers ?? []];
    const framed = header(headers, "content-length") ?? header(headers, "transfer-encoding");
    if (framed === undefined && status >= 200 && status !== 204 && status !== 304) {
      headers.push(["Content-Length", String(body.length)]);
    }
    await socket.write(latin1(headText(status, headers, answer.reason)));
    if (method !== "HEAD" && body.length > 0) await socket.write(body);
  });
}

/** These bytes and no others: a whole answer, part of one, or nonsense. */
export function replyRaw(text: string | Uint8Array): Step {
  const bytes = bytesOf(text);
  return step(({ socket }) => socket.write(bytes));
}

/** A head alone, framed as its headers say. */
export function head(status: number, headers: readonly Header[] = []): Step {
  return replyRaw(headText(status, headers));
}

/** A chunked answer, one chunk and one write for each piece. */
export function chunked(
  pieces: readonly string[],
  { status = 200, headers = [], trailers = [] }: {
    status?: number;
    headers?: readonly Header[];
    trailers?: readonly Header[];
  } = {},
): Step {
  return scene(
    head(status, [...headers, ["Transfer-Encoding", "chunked"]]),
    ...pieces.map((piece) => replyRaw(chunk(piece))),
    replyRaw(`0\r\n${headerText(trailers)}\r\n`),
  );
}

/** One chunk of a chunked body. */
export function chunk(piece: string): string {
  return `${piece.length.toString(16)}\r\n${piece}\r\n`;
}

/** An interim answer; the final one follows as a further step. */
export function interim(status: number, headers: readonly Header[] = []): Step {
  return head(status, headers);
}

/** Pieces of raw bytes, each only once the gate lets one pass. */
export function drip(pieces: readonly string[], gate: Gate): Step {
  return scene(...pieces.map((piece) => scene(wait(gate), replyRaw(piece))));
}

/** `bytes` zero bytes as fast as the peer takes them; stops when the peer leaves. */
export function flood(bytes: number): Step {
  return step(async ({ socket }) => {
    const block = new Uint8Array(65_536);
    for (let left = bytes; left > 0; left -= block.length) {
      if (!await socket.write(block.subarray(0, Math.min(left, block.length)))) return;
    }
  });
}

/** Closes the connection in order (FIN). */
export function close(): Step {
  return step(({ socket }) => socket.close());
}

/** Breaks the connection off (RST). */
export function reset(): Step {
  return step(({ socket }) => socket.reset());
}

/** Answers nothing, but notices when the peer leaves. */
export function hang(): Step {
  return step((stage) => stage.untilPeerLeaves());
}

/** Answers nothing and reads nothing more, not even the peer's leaving. */
export function stall(): Step {
  return afterHead(step(({ socket }) => socket.closed));
}

/** Goes on only once the gate is open. */
export function wait(gate: Gate): Step {
  return step(() => gate.pass());
}

/** After the answer before it: leaves the connection idle until the gate opens, then closes it. */
export function idleClose(gate: Gate): Step {
  return scene(wait(gate), close());
}

/** Several steps in order, as one. */
export function scene(...steps: readonly Step[]): Step {
  return {
    early: steps[0]?.early ?? false,
    async play(stage) {
      for (const each of steps) await each.play(stage);
    },
  };
}

/** Plays these steps without waiting for the request's body. */
export function afterHead(...steps: readonly Step[]): Step {
  return { ...scene(...steps), early: true };
}

/** Reads the request's body; for the middle of an `afterHead`. */
export function readBody(): Step {
  return step((stage) => stage.readBody());
}

/** Holds steps back until the test lets them go. */
export class Gate {
  #open = 0;
  #waiting: (() => void)[] = [];

  /** Lets `count` steps pass, those that wait first; without a count, all from now on. */
  open(count = Infinity): void {
    this.#open += count;
    while (this.#open > 0 && this.#waiting.length > 0) {
      this.#open--;
      this.#waiting.shift()!();
    }
  }

  pass(): Promise<void> {
    if (this.#open > 0) {
      this.#open--;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

function step(play: Step["play"]): Step {
  return { play };
}

/** Once for each step, not for each request: of a large text it takes as long as all the rest of an answer. */
function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? latin1(text) : text;
}

function headText(status: number, headers: readonly Header[], reason?: string): string {
  return `HTTP/1.1 ${status} ${reason ?? STATUS_TEXT[status] ?? ""}\r\n${headerText(headers)}\r\n`;
}

function headerText(headers: readonly Header[]): string {
  return headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
}
