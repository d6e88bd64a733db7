// How long the connections of clients last beyond what they are for, on every listener that has them in hand.

/** What a client gets to read the end of its last answer. RFC 9112 9.6: closing over unread bytes would reset it. */
export const LINGER_MS = 2_000;
/** How long a connection that idles may still bring a request while Weir leaves: one may be on its way. */
export const LAST_CALL_MS = 1_000;
