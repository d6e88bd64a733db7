// What the attempts of a request send: its head for the next hop, with the framing that its body needs.
//
// Called by `forwarding.ts` once per request. Most requests go on with their lines as one text; where a line needs a
// closer look, or somebody looks at the lines or changes them, `headers.ts` makes them one by one.

import { type Body, type HeaderLines, headerValue, isNamed, type RequestHead } from "../exchange.ts";
import { Known, knownHeader } from "../http1/known.ts";
import type { OutgoingRequest } from "../http1/request_writer.ts";
import { type Asker, toUpstream } from "./headers.ts";
import type { Identity } from "./identity.ts";
import type { Journey } from "./journey.ts";
import type { RoutePlan } from "./route_plan.ts";
import type { Handshake } from "./upgrade.ts";

const NO_LINES: HeaderLines = [];

/** What every attempt of a request sends, unless a trace adds its own line. `body` null: there is none. */
export function upstreamRequest(
  journey: Journey,
  plan: RoutePlan,
  handshake: Handshake | null,
  body: Pick<Body, "length"> | null,
): OutgoingRequest {
  const { exchange: { head }, proxy: { identity }, record } = journey;
  const target = plan.targetFor(head.target);
  const asOne = handshake === null && record.trace === null && !plan.editsRequests;
  const text = asOne ? toUpstreamText(head, journey, identity) : null;
  if (text !== null) return outgoing(head, target, NO_LINES, text, body);
  const lines = plan.requestHeaders(toUpstream(head, journey, identity));
  const headers = handshake === null ? lines : handshake.headers(lines);
  return outgoing(head, target, headers, null, body);
}

/**
 * The lines that `toUpstream` makes, as one text, each with its CRLF; null when one needs a closer look, which is
 * seldom.
 */
export function toUpstreamText(head: RequestHead, asker: Asker, identity: Identity): string | null {
  if (asker.told !== null || identity.config.forwarded) return null;
  const { requestIdKey, config: { requestId } } = identity;
  const { headers } = head;
  let text = "";
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const value = headers[i + 1]!;
    switch (knownHeader(name)) {
      case Known.other:
        if (name.includes("_")) return null;
        if (isNamed(name, requestIdKey)) continue;
        break;
      case Known.connection:
        // It may name fields that stay behind, too.
        if (value !== "keep-alive" && value !== "close") return null;
        continue;
      case Known.via:
      case Known.date:
      case Known.trailer:
      case Known.proxyAuthorization:
        break;
      case Known.te:
        if (asker.relaysTrailers) return null;
        continue;
      case Known.maxForwards:
      case Known.expect:
        return null;
      default:
        continue;
    }
    text += name + ": " + value + "\r\n";
  }
  return text + identity.vouchFor(asker.peer, head) + requestId + ": " + asker.requestId + "\r\n";
}

function outgoing(
  head: RequestHead,
  target: string,
  headers: HeaderLines,
  text: string | null,
  body: Pick<Body, "length"> | null,
): OutgoingRequest {
  return {
    method: head.method,
    target,
    headers,
    text,
    contentLength: body === null ? lengthOfNone(head) : body.length,
    chunked: body !== null && body.length === null,
  };
}

/** RFC 9110 8.6: that there is no content is said where some is to be expected, or where the client says it. */
function lengthOfNone({ method, headers }: RequestHead): 0 | null {
  switch (method) {
    case "GET":
    case "HEAD":
      return null;
    case "POST":
    case "PUT":
    case "PATCH":
      return 0;
    default:
      return headerValue(headers, "content-length") === undefined ? null : 0;
  }
}
