// The bytes of an answer that Deno.serve is given whole, freed as soon as it has them.
//
// A Response has a copy of the bytes that it is made of (Fetch, 5.2). Left to be collected, these copies pile up
// outside the heap until V8 marks the whole of it for their sake (docs/decisions/answers_put_together.md).

import { free } from "../http1/buffers.ts";
import { innerSymbol } from "./serve_symbol.ts";

/** A body that is no stream, and whether somebody has it. */
type Static = { readonly body?: unknown; readonly consumed?: boolean };
type Inner = { readonly body: { readonly streamOrStatic: Static } | null };

const INNER = innerSymbol(new Response(null), "response");

function staticOf(response: Response): Static | undefined {
  return (response as unknown as Record<symbol, Inner | undefined>)[INNER]?.body?.streamOrStatic;
}

/** Bytes that a Response does not copy are not its own. */
const COPIES = isCopied(new Uint8Array(1));

function isCopied(bytes: Uint8Array<ArrayBuffer>): boolean {
  const copy = staticOf(new Response(bytes))?.body;
  return copy instanceof Uint8Array && copy.buffer !== bytes.buffer;
}

/**
 * Frees the bytes of an answer that Deno.serve has taken, and none of one that it has not; none at all where this Deno
 * does not tell which. Those that are still to be written stay (see `free`).
 */
export function freeContent(response: Response): void {
  if (!COPIES) return;
  const content = staticOf(response);
  if (content?.consumed === true && content.body instanceof Uint8Array) free(content.body);
}
