// Bodies as they come in over a connection: by length, chunked, or until the peer closes (RFC 9112 6, 7).
//
// Each reads through the connection's inlet and stops exactly at its end, so that what follows on the
// connection is the next message. A body that breaks off or breaks its framing throws: it never just ends.

import { type Body, type HeaderLines, headerValues } from "../exchange.ts";
import { ChunkedBody } from "./chunked_body.ts";
import type { Framing } from "./framing.ts";
import type { Inlet } from "./inlet.ts";
import { type BodyOwner, InletBody } from "./inlet_body.ts";
import { copyOut } from "./slab.ts";

/** A body of declared length. */
export class LengthBody extends InletBody {
  /** Bytes that nobody has read yet. */
  left: number;
  /** Some of them are being read past the inlet: what is in there may be the next message's. */
  private reading = false;

  /** @param alone nothing follows it: what does is read with it, and it does not end as it should */
  constructor(inlet: Inlet, readonly length: number, owner: BodyOwner, private readonly alone = false) {
    super(inlet, owner);
    this.left = length;
  }

  async read(into?: Uint8Array): Promise<Uint8Array | null> {
    if (this.left === 0) return null;
    let bytes: Uint8Array | null;
    if (this.inlet.available > 0) bytes = this.takeBuffered(this.left, into);
    else {
      this.reading = true;
      bytes = await this.readDirect(this.alone ? this.left + 1 : this.left, into);
      this.reading = false;
    }
    if (bytes === null) throw this.truncated();
    const more = bytes.length > this.left;
    if (more) bytes = bytes.subarray(0, this.left);
    this.left -= bytes.length;
    if (this.left === 0) this.end(!more);
    return bytes;
  }

  override takeWhole(): Uint8Array | null {
    if (!this.isHere) return null;
    const bytes = copyOut(this.inlet.take(this.left));
    this.taken();
    return bytes;
  }

  override copyWhole(into: Uint8Array, at: number): number {
    const { inlet, left } = this;
    if (!this.isHere || into.length - at < left) return -1;
    into.set(inlet.take(left), at);
    this.taken();
    return left;
  }

  /** Taken only once it was used: the inlet's memory may be read into as soon as the body has ended. */
  override lendWhole(use: (bytes: Uint8Array<ArrayBuffer>) => void): number {
    if (!this.isHere) return -1;
    const { left } = this;
    use(this.inlet.take(left));
    this.taken();
    return left;
  }

  /** All that nobody has read is in the inlet. */
  private get isHere(): boolean {
    const { left, reading } = this;
    return left > 0 && !reading && this.inlet.available >= left;
  }

  /** From now on the inlet's memory is the next message's. */
  private taken(): void {
    this.left = 0;
    this.end(true);
  }
}

/** A body that ends with its connection (HTTP/1.0 style); its end cannot be told from a clean close. */
class UntilCloseBody extends InletBody {
  readonly length = null;

  async read(into?: Uint8Array): Promise<Uint8Array | null> {
    if (this.inlet.available > 0) return this.takeBuffered(Number.MAX_SAFE_INTEGER, into);
    const bytes = await this.readDirect(Number.MAX_SAFE_INTEGER, into);
    if (bytes === null) this.end(true);
    return bytes;
  }
}

/** The chunked body of a request with these header lines. */
export function chunkedBodyOf(headers: HeaderLines, inlet: Inlet, owner: BodyOwner): ChunkedBody {
  return new ChunkedBody(inlet, owner, true, headerValues(headers, "connection").join());
}

/** What a response's head says of its body. */
interface Promised {
  readonly framing: Framing;
  readonly contentLength: number;
  readonly connection: string;
}

/** The body that a response's head promises, or null when it promises none. */
export function bodyOf(
  { framing, contentLength, connection }: Promised,
  inlet: Inlet,
  owner: BodyOwner,
): Body | null {
  switch (framing) {
    case "none":
      return null;
    case "length":
      return new LengthBody(inlet, contentLength, owner, true);
    case "chunked":
      return new ChunkedBody(inlet, owner, false, connection);
    case "untilClose":
      return new UntilCloseBody(inlet, owner);
  }
}
