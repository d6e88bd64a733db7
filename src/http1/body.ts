// Bodies as they come in over a connection: by length, chunked, or until the peer closes (RFC 9112 6, 7).
//
// Each reads through the connection's inlet and stops exactly at its end, so that what follows on the
// connection is the next message. A body that breaks off or breaks its framing throws: it never just ends.

import type { Body } from "../exchange.ts";
import { ChunkedBody } from "./chunked_body.ts";
import type { Framing } from "./framing.ts";
import type { Inlet } from "./inlet.ts";
import { type BodyEnd, InletBody } from "./inlet_body.ts";
import { copyOut } from "./slab.ts";

/** A body of declared length. */
export class LengthBody extends InletBody {
  private left: number;

  constructor(inlet: Inlet, readonly length: number, onEnd: BodyEnd) {
    super(inlet, onEnd);
    this.left = length;
  }

  async read(into?: Uint8Array): Promise<Uint8Array | null> {
    if (this.left === 0) return null;
    const bytes = this.inlet.available > 0
      ? this.takeBuffered(this.left, into)
      : await this.readDirect(this.left, into);
    if (bytes === null) throw this.truncated();
    this.left -= bytes.length;
    if (this.left === 0) this.end(true);
    return bytes;
  }

  override takeWhole(into?: Uint8Array): Uint8Array | null {
    const { left } = this;
    if (left === 0 || this.inlet.available < left || (into !== undefined && into.length < left)) return null;
    const view = this.inlet.take(left);
    const bytes = into === undefined ? copyOut(view) : into.subarray(0, left);
    // Copied before the end is told: from then on the inlet's memory is the next message's.
    if (into !== undefined) into.set(view);
    this.left = 0;
    this.end(true);
    return bytes;
  }
}

/** A body that ends with its connection (HTTP/1.0 style); its end cannot be told from a clean close. */
export class UntilCloseBody extends InletBody {
  readonly length = null;

  async read(into?: Uint8Array): Promise<Uint8Array | null> {
    if (this.inlet.available > 0) return this.takeBuffered(Number.MAX_SAFE_INTEGER, into);
    const bytes = await this.readDirect(Number.MAX_SAFE_INTEGER, into);
    if (bytes === null) this.end(true);
    return bytes;
  }
}

/** The body that a head's framing promises, or null when it promises none. */
export function bodyOf(framing: Framing, contentLength: number, inlet: Inlet, onEnd: BodyEnd): Body | null {
  switch (framing) {
    case "none":
      return null;
    case "length":
      return new LengthBody(inlet, contentLength, onEnd);
    case "chunked":
      return new ChunkedBody(inlet, onEnd);
    case "untilClose":
      return new UntilCloseBody(inlet, onEnd);
  }
}
