// Opens keep-alive connections, asks each for the 1 KB answer, and then holds them without a word.
//
// A connection counts as idle only when the contestant has served it, and serves it still at the end.

import { PAYLOADS } from "./scenarios.ts";

const OPENING_AT_ONCE = 16;
/** At the end so many connections, spread over all, are asked once more. */
const ASKED_AGAIN = 100;
const REQUEST = new TextEncoder().encode("GET /1kb HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");

export interface HeldConnections {
  readonly faults: readonly string[];
  /** Closes all. @returns a fault when some are no longer served. */
  end(): Promise<readonly string[]>;
}

/** @param requests how many each connection asks, one after the other, before it falls idle. */
export async function holdIdleConnections(
  port: number,
  count: number,
  requests: number,
): Promise<HeldConnections> {
  const held: Deno.TcpConn[] = [];
  let failed = 0;
  const openSome = async () => {
    while (held.length + failed < count) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => null);
      if (connection !== null) held.push(connection);
      if (connection === null || !await askAll(connection, requests)) failed++;
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, OPENING_AT_ONCE) }, openSome));
  return {
    faults: failed === 0 ? [] : [`${failed} of ${count} connections not served`],
    end: async () => {
      const step = Math.max(1, Math.floor(held.length / ASKED_AGAIN));
      const asked = await Promise.all(held.filter((_, at) => at % step === 0).map((one) => askAll(one, 1)));
      for (const connection of held) connection.close();
      const lost = asked.filter((served) => !served).length;
      return lost === 0 ? [] : [`${lost} of ${asked.length} idle connections no longer served`];
    },
  };
}

async function askAll(connection: Deno.TcpConn, requests: number): Promise<boolean> {
  try {
    for (let turn = 0; turn < requests; turn++) {
      await connection.write(REQUEST);
      if (!await readAnswer(connection)) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** Reads until head and payload are in; a chunked answer ends in its last chunk. */
async function readAnswer(connection: Deno.TcpConn): Promise<boolean> {
  const buffer = new Uint8Array(4096);
  let text = "";
  for (;;) {
    const read = await connection.read(buffer);
    if (read === null) return false;
    text += new TextDecoder("latin1").decode(buffer.subarray(0, read));
    const headEnd = text.indexOf("\r\n\r\n");
    if (headEnd < 0) continue;
    const chunked = /\r\ntransfer-encoding: *chunked/i.test(text.slice(0, headEnd));
    if (chunked ? text.endsWith("0\r\n\r\n") : text.length >= headEnd + 4 + PAYLOADS["1kb"]) {
      return text.startsWith("HTTP/1.1 200");
    }
  }
}
