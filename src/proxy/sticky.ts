// Sticky sessions: a signed cookie that keeps a client at the endpoint that served it first.
//
// The cookie's value is a keyed hash of the endpoint's identity (HMAC-SHA256), so it tells nobody an address,
// cannot be made up, and is the same in every pod and after every restart with the same key. All values of an
// upstream are made when its snapshot is applied; a request costs one map lookup and no cryptography. Whether
// the endpoint may still serve is the caller's to see: a draining one may, an unhealthy one gives way to a
// new pick and a new cookie.

import { type Cookie, setCookie } from "@std/http/cookie";
import { cookieValues } from "../balance/hash_key.ts";
import type { StickyConfig } from "../config/schema.ts";
import type { HeaderLines } from "../exchange.ts";
import type { EndpointsChange } from "../messages.ts";
import { nodeCrypto } from "../node_crypto.ts";

/** Bytes of the hash that the cookie carries: 2^128 guesses for one endpoint. */
const TOKEN_BYTES = 16;

/** The cookies of one upstream. */
export class StickyCookies {
  private readonly endpointByToken = new Map<string, string>();
  private readonly lineByEndpoint = new Map<string, string>();

  /** @param key never empty; `endpointIds` are `scheme://host:port` */
  constructor(
    private readonly config: StickyConfig,
    private readonly key: string,
    private readonly upstream: string,
    endpointIds: readonly string[],
  ) {
    if (key === "") throw new Error("sticky sessions need a key: set stickyKeyFile or WEIR_STICKY_KEY");
    for (const id of endpointIds) this.add(id);
  }

  /** Some endpoints are no more, others are new. */
  change({ left, joined }: Pick<EndpointsChange, "left" | "joined">): void {
    for (const id of left) {
      this.endpointByToken.delete(tokenOf(this.key, this.upstream, id));
      this.lineByEndpoint.delete(id);
    }
    for (const { id } of joined) this.add(id);
  }

  private add(id: string): void {
    const token = tokenOf(this.key, this.upstream, id);
    this.endpointByToken.set(token, id);
    this.lineByEndpoint.set(id, setCookieLine(this.config, token));
  }

  /** The id of the endpoint that a request's cookie names; null without a cookie that Weir has signed. */
  endpointOf(headers: HeaderLines): string | null {
    // Another application on the host may have set a cookie of the same name: any valid one counts.
    for (const value of cookieValues(headers, this.config.cookie)) {
      const id = this.endpointByToken.get(value);
      if (id !== undefined) return id;
    }
    return null;
  }

  /** Value of the Set-Cookie line that keeps a client at an endpoint; null when that has left while it answered. */
  setCookieFor(endpointId: string): string | null {
    return this.lineByEndpoint.get(endpointId) ?? null;
  }
}

/** Bound to the upstream too: the cookie of one group means nothing in another. */
function tokenOf(key: string, upstream: string, endpointId: string): string {
  // Web Crypto would make applying a snapshot asynchronous, and two snapshots could overtake each other.
  const hash = nodeCrypto().createHmac("sha256", key).update(`${upstream}\0${endpointId}`).digest();
  return hash.subarray(0, TOKEN_BYTES).toString("base64url");
}

function setCookieLine(config: StickyConfig, value: string): string {
  const { cookie: name, maxAgeS, secure, sameSite } = config;
  const cookie: Cookie = { name, value, path: "/", httpOnly: true, sameSite };
  if (maxAgeS > 0) cookie.maxAge = maxAgeS;
  // Browsers drop SameSite=None without Secure.
  if (secure || sameSite === "None") cookie.secure = true;
  const headers = new Headers();
  setCookie(headers, cookie);
  return headers.get("set-cookie")!;
}
