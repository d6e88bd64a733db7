// The part of a log line that says where the request went, as bytes: it is the same for all that a route sends to an
// endpoint.
//
// Asked by `access_line.ts` for each request with one attempt. How much is remembered has one limit for all routes:
// each of hundreds may reach thousands of endpoints.

import type { RouteSnapshot } from "../messages.ts";
import { LineBuffer } from "./access_line_buffer.ts";
import type { RequestRecord } from "./record.ts";

interface KnownPlace {
  /** Name of the upstream. */
  readonly upstream: string | undefined;
  readonly bytes: Uint8Array;
}

/** Of most places. */
const PLACE_BYTES = 256;

export class KnownPlaces {
  /** How many are remembered, at most: routes that are gone take theirs along. */
  size = 0;
  /** By route and endpoint. */
  private known = new WeakMap<RouteSnapshot, Map<string, KnownPlace>>();

  constructor(
    /** Puts the place of a request together. */
    private readonly write: (to: LineBuffer, record: RequestRecord) => void,
    /** Half a kilobyte each; all are forgotten when there are more. Endpoints come and go. */
    private readonly sizeMax = 8_192,
  ) {}

  /** The place of a request with one attempt. */
  of(record: RequestRecord, route: RouteSnapshot): Uint8Array {
    const { endpoint } = record.attempts[0]!;
    const upstream = record.upstream?.name;
    const found = this.known.get(route)?.get(endpoint);
    // Two upstreams that a route splits its traffic over may share an endpoint.
    if (found !== undefined && found.upstream === upstream) return found.bytes;
    const buffer = new LineBuffer(PLACE_BYTES);
    this.write(buffer, record);
    const bytes = buffer.take().slice();
    if (found === undefined) this.makeRoom();
    const places = this.known.get(route);
    if (places === undefined) this.known.set(route, new Map([[endpoint, { upstream, bytes }]]));
    else places.set(endpoint, { upstream, bytes });
    return bytes;
  }

  private makeRoom(): void {
    if (this.size === this.sizeMax) {
      this.known = new WeakMap();
      this.size = 0;
    }
    this.size++;
  }
}
