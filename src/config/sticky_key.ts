// What signs sticky cookies: the variable WEIR_STICKY_KEY, else what the file `stickyKeyFile` holds.
//
// Pure. `relations.ts` asks about the variable, `pod/pod_files.ts` about the file; blanks around a key are no part of it.

import { plural } from "./findings.ts";

/**
 * Fewer could be tried one by one: whoever has a cookie and knows the address it stands for can tell when a guess is
 * right. 16 hexadecimal digits are 64 bits.
 */
const CHARACTERS_MIN = 16;

/** What is wrong with a key that is not empty: `has 3 characters, must have at least 16`; null for nothing. */
export function stickyKeyFault(key: string): { readonly state: string; readonly accepted: string } | null {
  if (key.length >= CHARACTERS_MIN) return null;
  const state = `has ${plural(key.length, "character")}`;
  return { state, accepted: `must have at least ${CHARACTERS_MIN}, as \`openssl rand -hex 32\` makes them` };
}
