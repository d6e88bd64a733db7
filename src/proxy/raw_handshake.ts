// The handshake of a raw tunnel: the client's own passes to the endpoint, and the endpoint's answer back.
//
// What comes after a 101 is not HTTP, so one that answers something else than was asked is not believed:
// client and endpoint would read the same bytes differently (RFC 9110 7.8, RFC 6455 4.1).

import { type HeaderLines, headerValue, listHas, listOf, type ResponseHead } from "../exchange.ts";
import { quoted } from "../http1/error.ts";
import { withoutFields } from "../http1/fields.ts";
import type { Handshake } from "./upgrade.ts";
import { acceptOf } from "./websocket_handshake.ts";

const CONTENT_LENGTH = new Set(["content-length"]);

export class RawHandshake implements Handshake {
  constructor(
    /** The protocols that are asked for, as the client wrote them. */
    private readonly tokens: readonly string[],
    /** The client's header lines. */
    private readonly asked: HeaderLines,
    readonly webSocket: boolean,
  ) {}

  headers(lines: HeaderLines): HeaderLines {
    return [...lines, "Connection", "Upgrade", "Upgrade", this.tokens.join(", ")];
  }

  problemWith({ headers }: ResponseHead): string | null {
    const chosen = listOf(headers, "upgrade");
    if (chosen.length === 0) return "101 without Upgrade";
    const asked = namesOf(this.tokens);
    const foreign = chosen.find((token) => !asked.has(token.toLowerCase()));
    if (foreign !== undefined) return `101 with Upgrade: ${quoted(foreign)}, which nobody asked for`;
    if (!listHas(headers, "connection", "upgrade")) return "101 without Connection: upgrade";
    return this.webSocket ? this.webSocketProblem(headers) : null;
  }

  private webSocketProblem(headers: HeaderLines): string | null {
    const key = headerValue(this.asked, "sec-websocket-key") ?? "";
    if (headerValue(headers, "sec-websocket-accept") !== acceptOf(key)) {
      return "101 with another Sec-WebSocket-Accept than the key's";
    }
    const offered = namesOf(listOf(this.asked, "sec-websocket-extensions").map(nameOf));
    for (const name of namesOf(listOf(headers, "sec-websocket-extensions").map(nameOf))) {
      if (!offered.has(name)) return "101 with an extension nobody offered";
    }
    const protocol = headerValue(headers, "sec-websocket-protocol");
    if (protocol !== undefined && !listOf(this.asked, "sec-websocket-protocol").includes(protocol)) {
      return "101 with a subprotocol nobody offered";
    }
    return null;
  }

  /** The client's 101. @param lines of the endpoint's, without what is for one hop */
  clientHead(lines: HeaderLines, head: ResponseHead): ResponseHead {
    // RFC 9110 8.6: a 101 has no Content-Length, whatever the endpoint says.
    const kept = withoutFields(lines, CONTENT_LENGTH);
    const upgrade = listOf(head.headers, "upgrade").join(", ");
    return {
      status: 101,
      reason: head.reason,
      headers: [...kept, "Connection", "Upgrade", "Upgrade", upgrade],
    };
  }
}

/** In lower case; a set, as client and endpoint may list thousands, of which each would be compared with each. */
function namesOf(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => name.toLowerCase()));
}

/** Of an extension with its parameters. */
function nameOf(extension: string): string {
  return extension.split(";")[0]!.trim();
}
