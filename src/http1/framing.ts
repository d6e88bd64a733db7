// How the end of a message body is known (RFC 9112 6.3).

/** No body; a declared length; chunks; or whatever comes until the connection closes. */
export type Framing = "none" | "length" | "chunked" | "untilClose";
