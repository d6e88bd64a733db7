// One check of one endpoint over a connection of its own: TCP connect, or HTTP GET.
//
// Called by `endpoint_check.ts`, which limits its time through the signal. Says in words why an endpoint
// failed. To an https endpoint both kinds make the TLS handshake: behind a bad certificate nobody is served.

import { statusBounds } from "../config/derived.ts";
import { messageOf } from "../error_message.ts";
import { closeQuietly } from "../http1/close_quietly.ts";
import type { UpstreamTlsSnapshot } from "../messages.ts";
import { decodeLatin1 } from "../http1/latin1.ts";
import { requestHead } from "../http1/request_writer.ts";
import { writeAll } from "../http1/write_all.ts";
import { connectError, connectsOn, isOutOfDescriptors, openSocket } from "../upstream/dial.ts";
import { startTls, tlsCause } from "../upstream/tls.ts";
import { answered, answersHandshakes, type TlsHistory } from "../upstream/tls_silence.ts";

export interface ProbeTarget {
  readonly scheme: "http" | "https";
  /** IP address, or a name that the system resolver answers. */
  readonly host: string;
  readonly port: number;
  /** `host[:port]` that the endpoint goes by. */
  readonly authority: string;
}

export interface ProbeSettings {
  readonly kind: "tcp" | "http";
  /** Target of the HTTP check. */
  readonly path: string;
  /** Host header of the HTTP check, when it is not the endpoint's authority. */
  readonly host?: string | undefined;
  /** Statuses that pass: `200`, `2xx` or `200-399`. */
  readonly expect: readonly string[];
  readonly tls: UpstreamTlsSnapshot;
}

export interface ProbeOutcome {
  readonly passed: boolean;
  /** What was seen, in words: `connected`, `status 503, expected 200-399`, `connection refused`, ... */
  readonly reason: string;
  /** Weir itself was out of descriptors: nothing was seen of the endpoint. */
  readonly local?: true;
}

/**
 * Never rejects; settles soon after the signal, with everything closed.
 * @param history of handshakes with this endpoint; kept up to date
 */
export type Probe = (
  target: ProbeTarget,
  settings: ProbeSettings,
  signal: AbortSignal,
  history?: TlsHistory,
) => Promise<ProbeOutcome>;

/** An answer whose status does not stand in its first bytes is none. */
const ANSWER_BYTES_MAX = 16_384;

export const probe: Probe = async (target, settings, signal, history = { silent: false }) => {
  let open: { close(): void } | null = null;
  const close = () => {
    if (open !== null) closeQuietly(open);
  };
  signal.addEventListener("abort", close);
  try {
    const secure = target.scheme === "https";
    if (secure && history.silent) {
      await answersHandshakes(target, settings.tls, signal).catch((error) => {
        throw connectError(error);
      });
      history = answered(history);
    }
    let conn = open = await connect(target, settings.tls, signal, history);
    if (secure) {
      if (!("handshake" in conn)) conn = open = await startTls(conn, target, settings.tls);
      // The signal may have come while nothing but the old socket was there to close.
      signal.throwIfAborted();
      await handshake(conn as Deno.TlsConn, signal, history);
    }
    if (settings.kind === "tcp") return { passed: true, reason: "connected" };
    return await askStatus(conn, target, settings);
  } catch (error) {
    const failed = { passed: false, reason: messageOf(error) };
    return isOutOfDescriptors(error) ? { ...failed, local: true } : failed;
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
};

async function connect(
  target: ProbeTarget,
  tls: UpstreamTlsSnapshot,
  signal: AbortSignal,
  history: TlsHistory,
): Promise<Deno.TcpConn | Deno.TlsConn> {
  try {
    return await openSocket(target, tls, signal);
  } catch (error) {
    if (signal.aborted) history.silent ||= connectsOn(target, tls);
    throw connectError(error);
  }
}

async function handshake(conn: Deno.TlsConn, signal: AbortSignal, history: TlsHistory): Promise<void> {
  try {
    await conn.handshake();
  } catch (error) {
    throw new Error(tlsCause(error));
  } finally {
    history.silent = signal.aborted;
  }
}

async function askStatus(
  conn: Deno.TcpConn | Deno.TlsConn,
  target: ProbeTarget,
  settings: ProbeSettings,
): Promise<ProbeOutcome> {
  try {
    await writeAll(conn, headOf(target, settings));
    const status = await readStatus(conn);
    if (statusPasses(settings.expect, status)) return { passed: true, reason: `status ${status}` };
    return { passed: false, reason: `status ${status}, expected ${settings.expect.join(" or ")}` };
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe) {
      throw new Error("connection reset before an answer");
    }
    // TLS alone tells an end without its farewell from one with it.
    if (error instanceof Deno.errors.UnexpectedEof) throw closedUnanswered();
    // A client certificate that is missing or wrong shows only after the handshake (TLS 1.3).
    throw error instanceof Deno.errors.InvalidData ? new Error(tlsCause(error)) : error;
  }
}

function headOf(target: ProbeTarget, settings: ProbeSettings): Uint8Array {
  const request = {
    method: "GET",
    target: settings.path,
    headers: ["User-Agent", "weir-health-check", "Accept", "*/*", "Connection", "close"],
    contentLength: null,
    chunked: false,
  };
  return requestHead(request, settings.host ?? target.authority);
}

async function readStatus(conn: Deno.TcpConn | Deno.TlsConn): Promise<number> {
  const bytes = new Uint8Array(ANSWER_BYTES_MAX);
  let end = 0;
  while (end < bytes.length) {
    const count = await conn.read(bytes.subarray(end));
    if (count === null) throw closedUnanswered();
    end += count;
    const status = finalStatus(decodeLatin1(bytes, 0, end));
    if (status !== null) return status;
  }
  throw new Error(`no status within ${ANSWER_BYTES_MAX} bytes`);
}

function closedUnanswered(): Error {
  return new Error("closed without an answer");
}

/**
 * The status of an HTTP/1 answer, interim ones (1xx) passed over; null while more must arrive.
 * @throws Error when it is no HTTP/1 answer
 */
export function finalStatus(text: string): number | null {
  let at = 0;
  while (true) {
    const lineEnd = text.indexOf("\n", at);
    const begun = text.slice(at, lineEnd < 0 ? undefined : lineEnd);
    if (!"HTTP/1.".startsWith(begun.slice(0, 7))) throw new Error("the answer is not HTTP/1");
    if (lineEnd < 0) return null;
    const line = /^HTTP\/1\.[01] ([1-9]\d\d)(?: [^\r]*)?\r?$/.exec(begun);
    if (line === null) throw new Error("the answer has no status line");
    const status = Number(line[1]);
    if (status >= 200) return status;
    const headEnd = text.indexOf("\r\n\r\n", at);
    if (headEnd < 0) return null;
    at = headEnd + 4;
  }
}

/** Whether a status is in one of the ranges. */
export function statusPasses(expect: readonly string[], status: number): boolean {
  return expect.some((range) => {
    const [from, to] = statusBounds(range);
    return status >= from && status <= to;
  });
}
