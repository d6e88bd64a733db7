// What becomes of a request target: taken apart, rewritten for the upstream, put into a redirect.
//
// Works on the client's bytes: what is not rewritten stays as it was, the query always does. A rewritten
// target begins with a slash; a Location holds visible ASCII only, so that no line can be broken into it.

import type { RouteConfig } from "../config/route_schema.ts";
import type { RequestHead } from "../exchange.ts";
import { splitAuthority } from "./host_pattern.ts";
import { pathEnd } from "./readings.ts";

/** `query` has its `?` in front, and is empty without one. */
export function splitTarget(target: string): { path: string; query: string } {
  const end = pathEnd(target);
  return { path: target.slice(0, end), query: target.slice(end) };
}

/** The target to send upstream. A path that does not stand below the prefix, and `*`, stay as they are. */
export function rewriteTarget(target: string, rewrite: RouteConfig["rewrite"]): string {
  if (rewrite === undefined) return target;
  let result = target;
  if (rewrite.stripPrefix !== undefined) result = movePrefix(result, rewrite.stripPrefix, "/");
  if (rewrite.replacePrefix !== undefined) {
    result = movePrefix(result, rewrite.replacePrefix.from, rewrite.replacePrefix.to);
  }
  return result;
}

/**
 * The Location of a redirect: `{host}` is the request's host without port, `{path}` its target with the
 * query. In a template that also has `{query}`, `{path}` is without, and `{query}` is what follows the `?`; where
 * nothing does, the mark in front of it is left out.
 *
 * @example redirectLocation("https://{host}{path}", head) // https://example.org/a?b=c
 */
export function redirectLocation(template: string, head: RequestHead): string {
  const { path, query } = splitTarget(head.target === "*" ? "/" : head.target);
  const values: Record<string, string> = {
    "{host}": splitAuthority(head.authority).name,
    "{path}": template.includes("{query}") ? path : path + query,
    "{query}": query.slice(1),
  };
  const form = query.length > 1 ? template : template.replace(QUERY_ALONE, "");
  const filled = form.replace(/\{(?:host|path|query)\}/g, (placeholder) => values[placeholder]!);
  return visibleAscii(/^\/?\{path\}/.test(template) ? withoutAuthority(filled) : filled);
}

/** `{query}` with the mark that only it needs. */
const QUERY_ALONE = /\?\{query\}(?=#|$)|&\{query\}|\{query\}&/g;

function movePrefix(target: string, from: string, to: string): string {
  const prefix = withoutSlashAtEnd(from);
  if (!target.startsWith(prefix) || !target.startsWith("/")) return target;
  const rest = target.slice(prefix.length);
  const border = rest === "" || rest.startsWith("/") || rest.startsWith("?");
  if (!border) return target;
  const moved = withoutSlashAtEnd(to) + rest;
  return moved.startsWith("/") ? moved : "/" + moved;
}

function withoutSlashAtEnd(prefix: string): string {
  return prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
}

/** `//evil.example` as a Location leads to another host (RFC 3986 4.2); browsers read `\` as `/`. */
function withoutAuthority(location: string): string {
  return location.replace(/^[/\\]+/, "/");
}

/** Strings from the wire hold one byte per character, so the escape is that byte's. */
function visibleAscii(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, (character) => {
    const code = character.charCodeAt(0);
    return code > 0xff ? "" : "%" + code.toString(16).toUpperCase().padStart(2, "0");
  });
}
