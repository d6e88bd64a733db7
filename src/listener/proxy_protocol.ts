// The PROXY header, versions 1 and 2: who the client really is, said by the load balancer in front
// (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt).
//
// Pure. Called by the wire listener for peers that the operator trusts, before the first request of a
// connection and only there: from anybody else these bytes are a malformed request.

import type { PeerAddress } from "../exchange.ts";
import { Http1Error } from "../http1/error.ts";
import { decodeLatin1 } from "../http1/latin1.ts";

/** A PROXY header that is all here. */
export interface ProxyHeader {
  /** Its length in bytes. */
  readonly bytes: number;
  /** Null when it speaks for nobody (LOCAL, UNKNOWN): the connection is the balancer's own. */
  readonly peer: PeerAddress | null;
}

const V2_SIGNATURE = new Uint8Array([13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]);
const V1_BYTES_MAX = 107;
const V2_HEAD_BYTES = 16;
/** Addresses and the extensions that balancers send; more is refused. */
const V2_BODY_BYTES_MAX = 1_024;

/**
 * The header that `bytes` from `start` to `end` begin with; null when more must come first.
 * @throws Http1Error `malformed`
 */
export function parseProxyHeader(bytes: Uint8Array, start: number, end: number): ProxyHeader | null {
  if (start === end) return null;
  return bytes[start] === V2_SIGNATURE[0] ? parseV2(bytes, start, end) : parseV1(bytes, start, end);
}

function parseV1(bytes: Uint8Array, start: number, end: number): ProxyHeader | null {
  const text = decodeLatin1(bytes, start, Math.min(end, start + V1_BYTES_MAX));
  const opening = "PROXY ";
  if (!text.startsWith(opening.substring(0, Math.min(opening.length, text.length)))) throw noHeader();
  const lineEnd = text.indexOf("\r\n");
  if (lineEnd < 0) {
    if (text.length === V1_BYTES_MAX) throw malformed("line too long");
    return null;
  }
  const [, family, source, , port, ...rest] = text.substring(0, lineEnd).split(" ");
  const size = lineEnd + 2;
  if (family === "UNKNOWN") return { bytes: size, peer: null };
  const valid = (family === "TCP4" ? isIpv4(source) : family === "TCP6" && isIpv6(source)) &&
    port !== undefined && /^\d{1,5}$/.test(port) && Number(port) <= 65_535 && rest.length === 1;
  if (!valid) throw malformed("not `PROXY TCP4|TCP6 source destination port port`");
  return { bytes: size, peer: { hostname: source!, port: Number(port) } };
}

function isIpv4(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,3}(\.\d{1,3}){3}$/.test(text) &&
    text.split(".").every((part) => Number(part) <= 255);
}

function isIpv6(text: string | undefined): boolean {
  return text !== undefined && /^[0-9a-fA-F:.]{2,45}$/.test(text) && URL.canParse(`http://[${text}]`);
}

function parseV2(bytes: Uint8Array, start: number, end: number): ProxyHeader | null {
  const here = Math.min(end - start, V2_SIGNATURE.length);
  for (let i = 0; i < here; i++) if (bytes[start + i] !== V2_SIGNATURE[i]) throw noHeader();
  if (end - start < V2_HEAD_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  const command = view.getUint8(12);
  if (command >> 4 !== 2 || (command & 15) > 1) throw malformed("unknown version or command");
  const length = view.getUint16(14);
  if (length > V2_BODY_BYTES_MAX) throw malformed("too long");
  const size = V2_HEAD_BYTES + length;
  if (end - start < size) return null;
  return { bytes: size, peer: (command & 15) === 0 ? null : addressV2(view, view.getUint8(13), length) };
}

/** TCP or UDP over IPv4 or IPv6; an unspecified family and a Unix socket name nobody. */
function addressV2(view: DataView, family: number, length: number): PeerAddress | null {
  if (family >> 4 > 3 || (family & 15) > 2) throw malformed("unknown address family or protocol");
  switch (family >> 4) {
    case 1: {
      if (length < 12) throw malformed("address too short");
      return { hostname: ipv4At(view, V2_HEAD_BYTES), port: view.getUint16(V2_HEAD_BYTES + 8) };
    }
    case 2: {
      if (length < 36) throw malformed("address too short");
      return { hostname: ipv6At(view, V2_HEAD_BYTES), port: view.getUint16(V2_HEAD_BYTES + 32) };
    }
    default:
      return null;
  }
}

function ipv4At(view: DataView, at: number): string {
  return [0, 1, 2, 3].map((i) => view.getUint8(at + i)).join(".");
}

function ipv6At(view: DataView, at: number): string {
  const groups = [0, 2, 4, 6, 8, 10, 12, 14].map((i) => view.getUint16(at + i).toString(16)).join(":");
  // A balancer that listens on both has its IPv4 clients so: each is to count by its own address, not as one /64.
  if (groups.startsWith("0:0:0:0:0:ffff:")) return ipv4At(view, at + 12);
  // The URL parser writes an address in its canonical, shortest form.
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}

function noHeader(): Http1Error {
  return new Http1Error("malformed", "connection does not begin with a PROXY header");
}

function malformed(what: string): Http1Error {
  return new Http1Error("malformed", `PROXY header: ${what}`);
}
