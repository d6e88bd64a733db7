// How much work a YAML text is for its parser, before it is parsed.
//
// Asked by `yaml_tree.ts`. The parser takes seconds for a million pieces, and most of a minute where they are commas,
// in the thread that watches over the pod; to count them takes little.

import { Lexer } from "yaml";
import type { Problem } from "./findings.ts";

/** A configuration that fills a pod has some 150,000. */
const LEXEMES_MAX = 250_000;

/** Says so where a text is made of more pieces than is parsed. */
export function tooManyLexemes(text: string): Problem | undefined {
  // Each has one character at least.
  if (text.length <= LEXEMES_MAX) return undefined;
  let count = 0;
  for (const _ of new Lexer().lex(text)) {
    if (++count > LEXEMES_MAX) {
      const state = `is made of more than ${LEXEMES_MAX} words, marks, blanks and line breaks`;
      return { state, accepted: "must be smaller" };
    }
  }
  return undefined;
}
