// The few shapes that configuration values take, each with its unit and range in one place.
// Called by the schema files; every value that an operator can write goes through one of these.

import { z } from "zod";

/** Milliseconds, at least `min`. `0` means "off" only where the key's description says so. */
export const milliseconds = (min = 1, max = 86_400_000) => z.int().min(min).max(max);

/** A count of things. */
export const count = (min = 1, max = 1_000_000) => z.int().min(min).max(max);

/** Bytes. */
export const bytes = (min = 0, max = Number.MAX_SAFE_INTEGER) => z.int().min(min).max(max);

/** Whole percent. */
export const percent = (min: number, max = 100) => z.int().min(min).max(max);

/** `min` 0 where 0 lets the system choose. */
export const port = (min: 0 | 1 = 1) => z.int().min(min).max(65_535);

/** The words for a form of text, by the source of its pattern. */
export const patternWords: Record<string, string> = {};

/** A form of text. @param words follow `must be`: refusals and the reference tables say them */
function text(pattern: RegExp, words: string): () => z.ZodString {
  patternWords[pattern.source] = words;
  return () => z.string().regex(pattern);
}

/** A name an operator gives: an upstream, a route. Becomes a metric label. */
export const name = text(
  /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/,
  "1 to 63 letters, digits, '-', '_' or '.', the first a letter or digit",
);

/** A token (RFC 9110 5.6.2): a method, a pseudonym, the name of a cookie that Weir sets. */
export const token = text(
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/,
  "a word of letters, digits, '-', '_', '.' and the like (an RFC 9110 token)",
);

/** A header field name (RFC 9110 5.1), written in any case. */
export const headerName = token;

/** A header field value: no control characters but tab (RFC 9110 5.5). */
export const headerText = text(
  /^[\t\x20-\x7e\x80-\xff]*$/,
  "text without control characters, in latin-1",
);

/** What a path pattern begins with. */
export const pathPattern = text(/^\/.*/, 'text that starts with "/"');

/** What may stand as a path in a request line (RFC 9112 3.2.1): visible ASCII, no fragment. */
export const targetPath = text(
  /^\/[\x21\x22\x24-\x7e]*$/,
  'text that starts with "/", in visible ASCII without "#"',
);

const AUTHORITY = "(?:[A-Za-z0-9._~-]{1,255}|\\[[0-9A-Fa-f:.]{2,45}\\])(?::\\d{1,5})?$";

/** A host, or host:port, as it stands in Host (RFC 9110 7.2). */
export const authority = text(
  new RegExp(`^${AUTHORITY}`),
  'a host, or host and port, like "app.example.org:8080"',
);

/** The same behind `=`. */
export const fixedAuthority = text(
  new RegExp(`^=${AUTHORITY}`),
  '"=" and a host, or host and port, like "=app.example.org"',
);

/** A Location: visible ASCII (RFC 3986 2). */
export const location = text(/^[\x21-\x7e]+$/, "text in visible ASCII, without blanks");

/** A cookie's name as clients send it, which is often no token (RFC 6265 5.4). */
export const cookieName = text(/^[^\s=;]+$/, "a cookie's name, without blanks, '=' and ';'");

/** A protocol of Upgrade (RFC 9110 7.8). */
export const protocol = text(
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(\/[!#$%&'*+.^_`|~0-9A-Za-z-]+)?$/,
  'a protocol, like "tcp" or "acme/2"',
);

/** Statuses from one to another, or of a class. */
export const statusRange = text(
  /^[1-5](\d\d|xx)(-[1-5]\d\d)?$/,
  'a status like "200", "2xx" or "200-399"',
);

type Overrides<S extends z.core.$ZodShape> = {
  [K in keyof S]: z.ZodOptional<S[K] extends z.ZodDefault<infer Inner> ? Inner : S[K]>;
};

/**
 * The same keys, each optional and without its default: what is not written stays what it is elsewhere.
 * (`.partial()` keeps the defaults, so that one written key would reset all others.)
 */
export function overridesOf<S extends z.core.$ZodShape>(schema: z.ZodObject<S>) {
  const keys = Object.entries(schema.shape).map(([key, value]) => {
    const described = value as z.ZodType;
    const bare = value instanceof z.ZodDefault ? value.removeDefault() as z.ZodType : described;
    const optional = bare.optional();
    return [key, described.description === undefined ? optional : optional.describe(described.description)];
  });
  return z.strictObject(Object.fromEntries(keys) as Overrides<S>);
}
