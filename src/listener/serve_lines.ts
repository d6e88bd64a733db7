// The lines of a request as its client wrote them: Deno.serve has them, and `Headers` shows them otherwise.
//
// `Headers` puts names into lower case, sorts them and joins those that repeat (Fetch, 5.1), for each request and at a
// cost that grows with the lines. What stands behind a Request has the lines themselves (docs/decisions/reading.md).

import type { HeaderLines } from "../exchange.ts";
import { bareValue } from "../http1/fields.ts";
import { innerSymbol } from "./serve_symbol.ts";

type Lines = readonly (readonly [name: string, value: string])[];
type Inner = { readonly headerList?: Lines };

/** Deno writes its own library on what it calls so, and may change it with any version: without it `Headers` are asked. */
const INNER = innerSymbol(new Request("http://localhost/"), "request");

/**
 * In order, in the case in which they were written, repeated ones apart but for Cookie, which Deno joins; as `Headers`
 * shows them where Deno has no such list.
 */
export function linesOf(request: Request): HeaderLines {
  const list = (request as unknown as Record<symbol, Inner | undefined>)[INNER]?.headerList;
  const lines: HeaderLines = [];
  if (list === undefined) request.headers.forEach((value, name) => add(lines, name, value));
  else for (let i = 0; i < list.length; i++) add(lines, list[i]![0], list[i]![1]);
  return lines;
}

/** RFC 9113 8.2.1: over HTTP/2, too, no value has blanks around it. Deno passes them, and an origin takes them off. */
function add(lines: HeaderLines, name: string, value: string): void {
  lines.push(name, bareValue(value, 0, value.length));
}
