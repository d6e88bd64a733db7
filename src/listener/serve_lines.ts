// The lines of a request as its client wrote them: Deno.serve has them, and `Headers` shows them otherwise.
//
// `Headers` puts names into lower case, sorts them and joins those that repeat (Fetch, 5.1), for each request and at a
// cost that grows with the lines. What stands behind a Request has the lines themselves (docs/decisions/reading.md).

import type { HeaderLines } from "../exchange.ts";

type Lines = readonly (readonly [name: string, value: string])[];
type Inner = { readonly headerList?: Lines };

/** Deno writes its own library on what it calls so, and may change it with any version: without it `Headers` are asked. */
const INNER = Object.getOwnPropertySymbols(new Request("http://localhost/"))
  .find((symbol) => symbol.description === "request") ?? Symbol("none");

/**
 * In order, in the case in which they were written, repeated ones apart but for Cookie, which Deno joins; as `Headers`
 * shows them where Deno has no such list.
 */
export function linesOf(request: Request): HeaderLines {
  const list = (request as unknown as Record<symbol, Inner | undefined>)[INNER]?.headerList;
  const lines: HeaderLines = [];
  if (list === undefined) request.headers.forEach((value, name) => lines.push(name, withoutBlanks(value)));
  else for (let i = 0; i < list.length; i++) lines.push(list[i]![0], withoutBlanks(list[i]![1]));
  return lines;
}

/** Space; a tab is below it. */
const BLANK = 0x20;

/**
 * Over HTTP/2 Deno.serve leaves blanks around a value. The origin, which is told in HTTP/1.1, reads it without them
 * (RFC 9112 5.1): so do routes and limits.
 */
function withoutBlanks(value: string): string {
  const padded = value.charCodeAt(0) <= BLANK || value.charCodeAt(value.length - 1) <= BLANK;
  return padded ? value.replace(/^[ \t]+|[ \t]+$/g, "") : value;
}
