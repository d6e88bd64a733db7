// What stands behind the objects of Deno's library: more than they show, and promised by nobody.

/**
 * The symbol under which `sample`, and all of its kind, has what stands behind it; one that nothing has where this
 * Deno has none of that description.
 */
export function innerSymbol(sample: Request | Response, description: string): symbol {
  return Object.getOwnPropertySymbols(sample).find((symbol) => symbol.description === description) ??
    Symbol("none");
}
