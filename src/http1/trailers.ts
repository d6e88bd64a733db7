// The end of a chunked body, in both directions: the last chunk and the trailers that may pass.

import type { HeaderLines } from "../exchange.ts";
import { Known, knownHeader } from "./known.ts";
import { latin1Bytes } from "./latin1.ts";

/** Ends a chunked body without trailers. */
const LAST_CHUNK: Uint8Array = new TextEncoder().encode("0\r\n\r\n");

/**
 * The bytes that end a chunked body. RFC 9110 6.5.1: a trailer that is about framing, routing or one hop must
 * not pass, since somebody behind may merge it into the head.
 */
export function lastChunk(trailers: HeaderLines | undefined): Uint8Array {
  if (trailers === undefined || trailers.length === 0) return LAST_CHUNK;
  let text = "0\r\n";
  for (let i = 0; i < trailers.length; i += 2) {
    if (knownHeader(trailers[i]!) === Known.other) text += trailers[i] + ": " + trailers[i + 1] + "\r\n";
  }
  return latin1Bytes(text + "\r\n", LAST_CHUNK.subarray(0, 0));
}
