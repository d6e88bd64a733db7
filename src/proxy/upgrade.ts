// What a request's Upgrade asks for, and whether it may have it (RFC 9110 7.8, RFC 6455 4.2.1).
//
// Pure. Called by `handler.ts` once the route is known, and by `explain.ts`; a handshake that is not one is refused
// here, before any endpoint sees it.

import {
  type HeaderLines,
  headerValue,
  listHas,
  listOf,
  onlyHeaderValue,
  type RequestHead,
} from "../exchange.ts";
import { quoted } from "../http1/error.ts";
import type { ParsedResponse } from "../http1/response_head.ts";
import type { Refusal } from "./refusal.ts";

/** A change of protocol as the attempts of a request carry it out. */
export interface Handshake {
  /** The header lines for the endpoint, from those that would go without an upgrade. */
  headers(lines: HeaderLines): HeaderLines;
  /** What is wrong with the endpoint's 101, or null. */
  problemWith(head: ParsedResponse): string | null;
}

/** What a request would rather become: `upgradeWish`. */
export type UpgradeWish =
  | { readonly kind: "none" }
  /** A valid WebSocket handshake. */
  | { readonly kind: "webSocket"; readonly offer: readonly string[] }
  /** Something else: tokens as they were written, at least one. */
  | { readonly kind: "other"; readonly tokens: readonly string[] }
  | { readonly kind: "invalid"; readonly refusal: Refusal };

const NONE: UpgradeWish = { kind: "none" };

/** What the request wants to become. RFC 9110 7.8: HTTP/1.0 cannot ask, and HTTP/2 does not. */
export function upgradeWish(head: RequestHead): UpgradeWish {
  if (head.version !== "1.1" || headerValue(head.headers, "upgrade") === undefined) return NONE;
  const tokens = listOf(head.headers, "upgrade");
  if (tokens.length === 0 || !listHas(head.headers, "connection", "upgrade")) return NONE;
  if (!tokens.some((token) => token.toLowerCase() === "websocket")) return { kind: "other", tokens };
  const refusal = handshakeRefusal(head);
  if (refusal !== null) return { kind: "invalid", refusal };
  return { kind: "webSocket", offer: listOf(head.headers, "sec-websocket-protocol") };
}

/** RFC 6455 4.2.1, 4.4. */
function handshakeRefusal({ method, headers }: RequestHead): Refusal | null {
  if (method !== "GET") return badHandshake("a WebSocket handshake is a GET");
  const version = onlyHeaderValue(headers, "sec-websocket-version");
  if (version !== "13") {
    return {
      ...badHandshake("the WebSocket version is not 13"),
      status: version === undefined ? 400 : 426,
      headers: ["Sec-WebSocket-Version", "13", "Upgrade", "websocket"],
    };
  }
  const key = onlyHeaderValue(headers, "sec-websocket-key");
  // 16 bytes in base64: 22 characters that count, of the last of which 4 bits, and the padding.
  const valid = key !== undefined && /^[A-Za-z0-9+/]{21}[AQgw]==$/.test(key);
  return valid ? null : badHandshake("Sec-WebSocket-Key is not 16 bytes in base64");
}

function badHandshake(message: string): Refusal {
  return { status: 400, error: "http_request_error", message };
}

/**
 * The refusal of an upgrade that cannot be had, or null: the request goes on, with or without it.
 *
 * @param tunnels whether the connection can be handed over as it is
 */
export function refusalOfUpgrade(
  wish: UpgradeWish,
  tunnels: boolean,
  allowed: readonly string[] | undefined,
  unknownUpgrade: "ignore" | "refuse",
): Refusal | null {
  if (wish.kind === "invalid") return wish.refusal;
  if (wish.kind !== "other" || unknownUpgrade === "ignore") return null;
  const passes = tunnels && allowedTokens(wish.tokens, allowed).length > 0;
  return passes ? null : {
    status: 501,
    error: "http_request_denied",
    message: `an upgrade to ${quoted(wish.tokens[0]!)} cannot pass here`,
  };
}

/**
 * Those of the tokens that a route lets pass, in the client's order. Never h2c: requests of HTTP/2 in a tunnel would
 * pass every route and limit unseen, and RFC 9113 3.1 has given it up.
 */
export function allowedTokens(tokens: readonly string[], allowed: readonly string[] = []): string[] {
  const names = allowed.map((name) => name.toLowerCase()).filter((name) => name !== "h2c");
  return tokens.filter((token) => names.includes(token.toLowerCase()));
}
