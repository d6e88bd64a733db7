// A route's rate limit: whose request it is, and the 429 for one that came too soon.
//
// Pure but for the limiter that it asks. A request without the header that a route counts by, or with several lines
// of it, is counted by its client address: leaving the header away must not lift the limit, and neither must a line
// that only Weir looks at.

import { parseIpv6 } from "../config/ip_address.ts";
import type { RateLimitConfig } from "../config/schema.ts";
import { hostOf, onlyHeaderValue, type RequestHead } from "../exchange.ts";
import { FULL_S_MAX, type Rate, type RateLimiter } from "./rate_limiter.ts";
import type { Refusal } from "./refusal.ts";

/**
 * The refusal of a request beyond its rate, or null. `scope` keeps the keys of routes apart. What was counted by
 * another rate counts no more: at a slow one a burst takes long to forget.
 */
export function refuseBeyondRate(
  limiter: RateLimiter,
  config: RateLimitConfig,
  scope: string,
  head: RequestHead,
  clientAddress: string,
): Refusal | null {
  const rate = rateOf(config);
  const counted = `${scope}\n${rate.requestsPerSecond} ${rate.burst}\n${
    rateKey(config, head, clientAddress)
  }`;
  const waitMs = limiter.take(counted, rate);
  return waitMs === 0 ? null : tooManyRequests(rate, waitMs);
}

/** The rate that a route is limited to; without a written burst, a second of it. */
export function rateOf({ requestsPerSecond, burst }: RateLimitConfig): Rate {
  return { requestsPerSecond, burst: burst ?? Math.max(1, Math.ceil(requestsPerSecond)) };
}

/** Who the request counts for. */
export function rateKey(
  { key }: RateLimitConfig,
  head: Pick<RequestHead, "authority" | "headers">,
  clientAddress: string,
): string {
  const name = key === "client_address" ? null : key.header.toLowerCase();
  const value = name === null
    ? undefined
    : name === "host"
    ? hostOf(head)
    : onlyHeaderValue(head.headers, name);
  return value === undefined ? `address ${addressKey(clientAddress)}` : `header ${value}`;
}

/** One IPv6 customer has 2^64 addresses: they share a rate. */
function addressKey(address: string): string {
  const six = address.includes(":") ? parseIpv6(address) : null;
  return six === null ? address : six.parts.slice(0, 4).map((part) => part.toString(16)).join(":");
}

/** Retry-After, and the fields of draft-ietf-httpapi-ratelimit-headers: quota, window, rest, reset. */
function tooManyRequests({ requestsPerSecond, burst }: Rate, waitMs: number): Refusal {
  const retryAfterS = Math.max(1, Math.ceil(waitMs / 1_000));
  const windowS = Math.max(1, Math.ceil(Math.min(burst / requestsPerSecond, FULL_S_MAX)));
  return {
    status: 429,
    error: "http_request_denied",
    message: "too many requests",
    retryAfterS,
    headers: [
      "RateLimit-Policy",
      `"route";q=${burst};w=${windowS}`,
      "RateLimit",
      `"route";r=0;t=${retryAfterS}`,
    ],
  };
}
