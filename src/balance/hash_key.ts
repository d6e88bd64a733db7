// The part of a request that consistent hashing looks at, as the operator named it.
//
// Values are compared and hashed as the client sent them: nothing is decoded or normalised, because the
// endpoint will see the same bytes. An empty value says as little as a missing one.

import type { BalanceConfig } from "../config/schema.ts";
import { type HeaderLines, headerValues, hostOf, joinedHeaderValue } from "../exchange.ts";
import { pathEnd } from "../routing/readings.ts";
import type { PickContext } from "./balancer.ts";

/** Reads the value to hash from a request; undefined or empty when it has none. */
export type HashKey = (context: PickContext) => string | undefined;

/** Resolves `hashOn` once, so that a pick does not ask again what it is about. */
export function hashKey(hashOn: BalanceConfig["hashOn"]): HashKey {
  if (hashOn === "client_address") return ({ clientAddress }) => clientAddress;
  if (hashOn === "path") return ({ head: { target } }) => target.slice(0, pathEnd(target));
  if ("header" in hashOn) {
    const name = hashOn.header.toLowerCase();
    if (name === "host") return ({ head }) => hostOf(head);
    return ({ head }) => joinedHeaderValue(head.headers, name);
  }
  if ("cookie" in hashOn) {
    const name = hashOn.cookie;
    return ({ head }) => cookieValues(head.headers, name)[0];
  }
  const parameter = hashOn.query;
  return ({ head }) => queryValue(head.target, parameter);
}

/** The values of all cookies of a name, in order (RFC 6265 5.4: a name may come more than once). */
export function cookieValues(headers: HeaderLines, name: string): string[] {
  const values: string[] = [];
  for (const line of headerValues(headers, "cookie")) {
    for (const pair of line.split(";")) {
      const equals = pair.indexOf("=");
      if (equals >= 0 && pair.slice(0, equals).trim() === name) values.push(pair.slice(equals + 1).trim());
    }
  }
  return values;
}

/** The first value of a query parameter, still percent-encoded. */
function queryValue(target: string, name: string): string | undefined {
  let start = target.indexOf("?") + 1;
  while (start > 0 && start < target.length) {
    const ampersand = target.indexOf("&", start);
    const end = ampersand < 0 ? target.length : ampersand;
    const valueAt = start + name.length + 1;
    if (valueAt <= end && target.startsWith(name, start) && target[valueAt - 1] === "=") {
      return target.slice(valueAt, end);
    }
    start = end + 1;
  }
  return undefined;
}
