// What Weir puts its name to in requests: who it is, and whom it stands before.

import type { HeadersConfig } from "../config/schema.ts";
import type { RequestHead } from "../exchange.ts";

/** Peers whose lines are kept ready. */
const VOUCHED_MAX = 1_024;

interface Vouched extends Pick<RequestHead, "authority" | "scheme" | "version"> {
  readonly peer: string;
  readonly text: string;
}

/** What Weir says of itself and of whom it stands before. */
export class Identity {
  /** By peer: what was vouched for last. */
  private readonly vouched = new Map<string, Vouched>();
  /** The last of them: to compare an address costs less than to look it up. */
  private latest: Vouched | undefined = undefined;
  /** What the name of the request id's header is compared with, in lower case. */
  readonly requestIdKey: string;

  constructor(
    /** In Via: unique by instance, so that a loop is seen. */
    readonly pseudonym: string,
    readonly config: HeadersConfig,
  ) {
    this.requestIdKey = config.requestId.toLowerCase();
  }

  /** The lines that Weir sets for a peer without trust, but for the request id: most requests get the last one's. */
  vouchFor(peer: string, head: RequestHead): string {
    const known = this.latest = this.latest?.peer === peer ? this.latest : this.vouched.get(peer);
    const { authority, scheme, version } = head;
    if (
      known !== undefined && known.authority === authority && known.scheme === scheme &&
      known.version === version
    ) return known.text;
    const via = `Via: ${version} ${this.pseudonym}\r\nX-Forwarded-For: ${peer}\r\nX-Forwarded-Host: `;
    const text = `${via}${authority}\r\nX-Forwarded-Proto: ${scheme}\r\n`;
    if (this.vouched.size >= VOUCHED_MAX) this.vouched.clear();
    // Cut from what is kept anyway: the one of the head would keep all of it (V8 makes parts by reference).
    const own = text.substring(via.length, via.length + authority.length);
    this.vouched.set(peer, this.latest = { peer, authority: own, scheme, version, text });
    return text;
  }
}
