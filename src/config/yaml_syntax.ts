// What a YAML parser could not read, as findings.
//
// Asked by `yaml_tree.ts`. Pure; quotes nothing of the file.

import type { Document } from "yaml";
import type { Finding } from "./findings.ts";

/** One mistake often leads the parser to more; the first few show where. */
const SYNTAX_FINDINGS_MAX = 5;

/** The first few mistakes, one for each place. @param at an offset as `file:line:column` */
export function syntaxFindings(
  document: Document.Parsed,
  file: string,
  at: (offset: number) => string,
): Finding[] {
  const byPlace = new Map<string, Finding>();
  // Older versions read other numbers and truth values: 010 is 8 there, and yes is true.
  const { version } = document.directives.yaml;
  if (version !== "1.2") {
    const place = at(0);
    byPlace.set(place, {
      subject: file,
      state: `says %YAML ${version}`,
      accepted: "must be YAML 1.2",
      place,
    });
  }
  for (const { code, pos } of [...document.errors, ...document.warnings]) {
    const place = at(pos[0]);
    const state = `is not valid YAML: ${SYNTAX_WORDS[code] ?? "it cannot be read from here on"}`;
    if (!byPlace.has(place)) byPlace.set(place, { subject: file, state, place });
  }
  return [...byPlace.values()].slice(0, SYNTAX_FINDINGS_MAX);
}

/** The parser's error codes in words that quote nothing of the file, which may hold secrets. */
const SYNTAX_WORDS: Readonly<Record<string, string>> = {
  BAD_ALIAS: "an alias has no name; a text that starts with * must be quoted",
  BAD_DIRECTIVE: "a % directive is not known",
  BAD_DQ_ESCAPE: 'a \\ escape in a "quoted" text is not known',
  BAD_INDENT: "the indentation does not fit the lines above, or a bracket is not closed",
  BAD_SCALAR_START: "a text starts with a reserved character and must be quoted",
  BLOCK_AS_IMPLICIT_KEY: "a key stands deeper than the line above allows, or a second colon needs quotes",
  BLOCK_IN_FLOW: "a block stands inside brackets",
  MISSING_CHAR: "a closing quote, bracket, comma or colon is missing",
  MULTILINE_IMPLICIT_KEY: "a key must stand on one line, followed by a colon",
  MULTIPLE_DOCS: "it holds several documents (---) and may hold one",
  RESOURCE_EXHAUSTION: "it is nested too deeply",
  TAB_AS_INDENT: "lines are indented by tabs; YAML takes spaces",
  TAG_RESOLVE_FAILED: "a !tag is not known, or does not fit its value",
  UNEXPECTED_TOKEN:
    "something stands where no text can be; within {...} and [...] a text with braces, brackets or " +
    "commas must be quoted",
};
