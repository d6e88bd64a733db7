// The bytes of an answer that Deno.serve is given whole: copied once, and freed as soon as it has them.
//
// A Response has a copy of the bytes that it is made of (Fetch, 5.2), in memory of its own. Asked for by Weir the copy
// costs half of that, and a small one, which shares its memory, less still. Of large ones, left to be collected, copies
// pile up outside the heap until V8 marks the whole of it for their sake (docs/decisions/answers_put_together.md).

import { free } from "../http1/buffers.ts";
import { Slabs } from "../http1/slab.ts";
import { innerSymbol, IS_TRIED } from "./serve_symbol.ts";

/** A body that is no stream, and whether somebody has it. */
type Static = { body?: unknown; readonly consumed?: boolean };
type InnerBody = { readonly streamOrStatic: Static };
type Inner = { status: number; body: InnerBody | null; readonly headerList: Lines };

/** What Deno.serve writes above an answer, in order. */
export type Lines = [name: string, value: string][];

const INNER = innerSymbol(new Response(null), "response");

function innerOf(response: Response): Inner | undefined {
  return (response as unknown as Record<symbol, Inner | undefined>)[INNER];
}

function staticOf(response: Response): Static | undefined {
  return innerOf(response)?.body?.streamOrStatic;
}

const NOTHING = new Uint8Array(0);
/** What Deno makes of bytes. */
const StaticBody = innerOf(new Response(NOTHING))?.body?.constructor as new (content: Static) => InnerBody;
/** A client that takes nothing keeps slabs whole, each for one answer: not before the kernel has taken many others. */
const slabs = new Slabs(65_536, 4_096);

/** What an answer of Deno.serve is made of; bytes are copied. */
export type Content = Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

/**
 * The answer of Deno.serve that has `content`.
 * @param shares whether small bytes may share their memory with other answers: of a client that may have hundreds of them
 * wait, and taken none, each would keep all of it
 */
export function responseOf(content: Content | null, status: number, shares: boolean): Response {
  if (!IS_TRIED) return new Response(content, { status });
  const isBytes = content instanceof Uint8Array;
  const response = new Response(isBytes ? null : content);
  const inner = innerOf(response)!;
  // Given with a body, Deno would make an answer of its own of both, and throw that away for the first line.
  inner.status = status;
  if (isBytes) {
    const body = shares ? slabs.copyOut(content) : new Uint8Array(content);
    inner.body = new StaticBody({ body, consumed: false });
  }
  return response;
}

/**
 * The lines of an answer that `responseOf` made, to add to: they are not looked at any more, and one that is none ends the
 * process. Null where this Deno is another: `headers` takes them.
 */
export function linesBehind(response: Response): Lines | null {
  return IS_TRIED ? innerOf(response)!.headerList : null;
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
  if (content?.consumed !== true || !(content.body instanceof Uint8Array)) return;
  free(content.body);
  // Whoever keeps the Response keeps no slab with it.
  content.body = NOTHING;
}
