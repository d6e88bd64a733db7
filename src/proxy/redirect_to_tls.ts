// What keeps clients on TLS: the redirect of the plain port, and Strict-Transport-Security.
//
// The redirect port is served by the workers like the traffic port, with the same checks, limits and records,
// because whoever can reach one can flood the other. No request that comes in here goes to an upstream.

import { headerValue, type ResponseHead } from "../exchange.ts";
import { redirectLocation } from "../routing/target.ts";
import type { Decide } from "./handler.ts";
import { wholeText } from "./whole_body.ts";

const HTTPS_PORT = 443;

/** Answers every request with the way to the same address by https. */
export function redirectToTls(toPort: number): Decide {
  const place = toPort === HTTPS_PORT ? "https://{host}{path}" : `https://{host}:${toPort}{path}`;
  // 308 keeps the method and the body: an API call is not turned into a GET.
  return (journey) =>
    journey.answer(308, ["Location", redirectLocation(place, journey.exchange.head)], wholeText(""));
}

/** RFC 6797 7.1: over https, and only there; an origin that has its own policy keeps it. */
export function addHsts(head: ResponseHead, scheme: "http" | "https", maxAgeS: number): void {
  if (maxAgeS === 0 || scheme !== "https") return;
  const { headers } = head;
  if (headerValue(headers, "strict-transport-security") !== undefined) return;
  headers.push("Strict-Transport-Security", `max-age=${maxAgeS}`);
}
