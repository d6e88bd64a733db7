// What can be wrong with bytes that claim to be HTTP/1.1.

/** A message that breaks RFC 9112, or a limit of ours. Its text names what was wrong, without addresses. */
export class Http1Error extends Error {
  override readonly name = "Http1Error";
  constructor(
    /** `version`, `coding`, `expectation`: well formed, but nothing that is served here. */
    readonly kind: "malformed" | "tooLarge" | "version" | "coding" | "expectation",
    message: string,
  ) {
    super(message);
  }
}

const QUOTED_MAX = 64;

/** What a peer wrote, as a message quotes it: its first characters, in visible ASCII and blanks. */
export function quoted(text: string): string {
  const shown = text.length > QUOTED_MAX ? text.substring(0, QUOTED_MAX) + "..." : text;
  return shown.replace(
    /[^\x20-\x7e]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
