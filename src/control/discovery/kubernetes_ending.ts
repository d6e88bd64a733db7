// How a conversation with the API server ends, and what each way means for the next one.

import { LineTooLongError } from "./kubernetes_lines.ts";

/** How a conversation ended; never by an exception. */
export type SessionEnd =
  /** The server closed the watch, as it does every few minutes. */
  | { readonly kind: "ended" }
  /** The place to resume from is too old (410): list anew. */
  | { readonly kind: "expired" }
  | {
    readonly kind: "refused";
    readonly status: number;
    readonly message: string;
    readonly retryAfterMs: number;
  }
  | { readonly kind: "unreachable"; readonly message: string }
  /** It answered, but not as an API server does: list anew. */
  | { readonly kind: "garbled"; readonly message: string };

/** An answer that ends the conversation. */
export class Ending extends Error {
  constructor(readonly end: SessionEnd) {
    super(end.kind);
  }
}

export function endOfStatus(status: number, message: string, retryAfterMs: number): SessionEnd {
  return status === 410 ? { kind: "expired" } : { kind: "refused", status, message, retryAfterMs };
}

export const garbled = (message: string) => new Ending({ kind: "garbled", message });

/** @throws {Ending} */
export function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw garbled("a line is not JSON");
  }
}

/** What an exception within a conversation means for it. */
export function endOf(cause: unknown): SessionEnd {
  if (cause instanceof Ending) return cause.end;
  if (cause instanceof LineTooLongError) return { kind: "garbled", message: cause.message };
  return { kind: "unreachable", message: wordsOf(cause) };
}

/** fetch says only "fetch failed"; the reason is in the cause. */
function wordsOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? cause.cause.message : cause.message;
}
