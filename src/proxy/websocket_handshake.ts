// The WebSocket handshake with an endpoint (RFC 6455 4.1), for listeners that frame the client's side.
//
// Weir's own key and no extensions; the client's subprotocols, Origin, cookies and everything else as they
// came. The endpoint's 101 is believed only when it answers exactly this.

import { Buffer } from "node:buffer";
import { type HeaderLines, headerValue, listHas, listOf, type ResponseHead } from "../exchange.ts";
import { withoutFields } from "../http1/fields.ts";
import { nodeCrypto } from "../node_crypto.ts";
import type { Handshake } from "./upgrade.ts";

/** RFC 6455 1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** What the client's handshake says and Weir's own says anew. */
const OF_CLIENT = new Set(["sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions"]);
/** What belongs to the endpoint's 101 alone. */
const OF_ENDPOINT = new Set(["sec-websocket-accept", "sec-websocket-protocol", "content-length"]);

export class WebSocketHandshake implements Handshake {
  private readonly key: string;

  /** @param nonce 16 random bytes */
  constructor(private readonly offer: readonly string[], nonce: Uint8Array) {
    this.key = Buffer.from(nonce).toString("base64");
  }

  headers(lines: HeaderLines): HeaderLines {
    return [
      ...withoutFields(lines, OF_CLIENT),
      "Connection",
      "Upgrade",
      "Upgrade",
      "websocket",
      "Sec-WebSocket-Version",
      "13",
      "Sec-WebSocket-Key",
      this.key,
    ];
  }

  problemWith(head: ResponseHead): string | null {
    const { headers } = head;
    if (!listHas(headers, "upgrade", "websocket")) return "101 without Upgrade: websocket";
    if (!listHas(headers, "connection", "upgrade")) return "101 without Connection: upgrade";
    if (headerValue(headers, "sec-websocket-accept") !== acceptOf(this.key)) {
      return "101 with another Sec-WebSocket-Accept than the key's";
    }
    if (listOf(headers, "sec-websocket-extensions").length > 0) return "101 with an extension nobody offered";
    const chosen = this.protocol(head);
    if (chosen !== null && !this.offer.includes(chosen)) return "101 with a subprotocol nobody offered";
    return null;
  }

  /** The subprotocol that the endpoint chose, or null. */
  protocol({ headers }: ResponseHead): string | null {
    return headerValue(headers, "sec-websocket-protocol") ?? null;
  }

  /** Lines of the endpoint's 101 that go on to the client: what belongs to its own handshake stays behind. */
  clientLines(lines: HeaderLines): HeaderLines {
    return withoutFields(lines, OF_ENDPOINT);
  }
}

/** RFC 6455 4.2.2. */
export function acceptOf(key: string): string {
  return nodeCrypto().createHash("sha1").update(key + GUID).digest("base64");
}
