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
