// What stands behind the objects of Deno's library: more than they show, and promised by nobody.

/**
 * Whether this Deno is the one that all of it was tried with: what would go wrong without a word where it means something
 * else is not touched there.
 */
export const IS_TRIED = Deno.version.deno === "2.9.6";

/**
 * The symbol under which `sample`, and all of its kind, has what stands behind it; one that nothing has where this
 * Deno has none of that description.
 */
export function innerSymbol(sample: Request | Response, description: string): symbol {
  return Object.getOwnPropertySymbols(sample).find((symbol) => symbol.description === description) ??
    Symbol("none");
}
