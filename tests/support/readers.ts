// How different servers read one stream of request bytes: where each request ends decides who gets which
// answer. Request smuggling lives where two of them disagree.

/** One request as a reader understands it. */
export interface ReadRequest {
  readonly method: string;
  readonly target: string;
  readonly body: string;
}

export interface Reading {
  readonly requests: readonly ReadRequest[];
  /** What is left behind the last whole request, or what could not be read. */
  readonly rest: string;
}

/** What a server makes of a head that a strict one refuses. */
interface Habits {
  /** Ends of lines. */
  readonly lineEnd: RegExp;
  /** Which framing field counts when there are both. */
  readonly wins: "length" | "chunked";
  /** Whether odd field names, values, codings and sizes are taken as something. */
  readonly lenient: boolean;
}

export const READERS = {
  strict: { lineEnd: /\r\n/, wins: "chunked", lenient: false },
  "lenient, length wins": { lineEnd: /\r\n|\n|\r/, wins: "length", lenient: true },
  "lenient, chunked wins": { lineEnd: /\r?\n/, wins: "chunked", lenient: true },
} as const satisfies Record<string, Habits>;

export type ReaderName = keyof typeof READERS;

/** Reads all that is there. */
export function readAll(text: string, reader: ReaderName): Reading {
  const habits: Habits = READERS[reader];
  const requests: ReadRequest[] = [];
  let rest = text;
  for (;;) {
    const one = readOne(rest, habits);
    if (one === null) return { requests, rest };
    requests.push(one.request);
    rest = one.rest;
  }
}

function readOne(text: string, habits: Habits): { request: ReadRequest; rest: string } | null {
  const lines: string[] = [];
  let rest = habits.lenient ? text.replace(/^[\r\n]+/, "") : text;
  for (;;) {
    const line = takeLine(rest, habits.lineEnd);
    if (line === null) return null;
    rest = line.rest;
    if (line.text === "") break;
    lines.push(line.text);
  }
  const [method = "", target = ""] = (lines[0] ?? "").split(/[ \t]+/);
  const fields = lines.slice(1).map((line) => fieldOf(line, habits.lenient));
  const length = fields.find(([name]) => name === "content-length")?.[1];
  const coding = fields.find(([name]) => name === "transfer-encoding")?.[1];
  const chunked = coding !== undefined && (habits.lenient ? /chunk/i.test(coding) : coding === "chunked");
  const body = chunked && (habits.wins === "chunked" || length === undefined)
    ? takeChunks(rest, habits)
    : takeLength(rest, length === undefined ? 0 : parseInt(length));
  return body === null ? null : { request: { method, target, body: body.text }, rest: body.rest };
}

function fieldOf(line: string, lenient: boolean): [name: string, value: string] {
  const colon = line.indexOf(":");
  const name = line.slice(0, colon).toLowerCase();
  // deno-lint-ignore no-control-regex
  return [lenient ? name.replace(/[\x00-\x20]/g, "") : name, line.slice(colon + 1).trim()];
}

function takeLine(text: string, lineEnd: RegExp): { text: string; rest: string } | null {
  const match = lineEnd.exec(text);
  if (match === null) return null;
  return { text: text.slice(0, match.index), rest: text.slice(match.index + match[0].length) };
}

function takeLength(text: string, length: number): { text: string; rest: string } | null {
  const bytes = Number.isNaN(length) || length < 0 ? 0 : length;
  return text.length < bytes ? null : { text: text.slice(0, bytes), rest: text.slice(bytes) };
}

function takeChunks(text: string, { lineEnd }: Habits): { text: string; rest: string } | null {
  let body = "";
  for (let rest = text;;) {
    const line = takeLine(rest, lineEnd);
    if (line === null) return null;
    const size = parseInt(line.text, 16) || 0;
    rest = line.rest;
    if (size === 0) {
      for (let next = takeLine(rest, lineEnd);; next = takeLine(rest, lineEnd)) {
        if (next === null) return null;
        rest = next.rest;
        if (next.text === "") return { text: body, rest };
      }
    }
    if (rest.length < size) return null;
    body += rest.slice(0, size);
    const end = takeLine(rest.slice(size), lineEnd);
    if (end === null) return null;
    rest = end.rest;
  }
}
