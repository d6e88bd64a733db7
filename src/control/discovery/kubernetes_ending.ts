// How a conversation with the API server ends, and what each way means for the next one.

import { messageOf } from "../../error_message.ts";
import { NotInClusterError } from "./kubernetes_api.ts";
import { LineTooLongError } from "./kubernetes_lines.ts";

/** How a conversation ended; never by an exception. */
export type SessionEnd =
  /** The server closed the watch, as it does every few minutes. */
  | { readonly kind: "ended" }
  /** The place to resume from is too old (410): list anew. */
  | { readonly kind: "expired" }
  /** The watch brought nothing for long: list anew, over another connection. */
  | { readonly kind: "silent" }
  | {
    readonly kind: "refused";
    readonly status: number;
    readonly message: string;
    readonly retryAfterMs: number;
  }
  | { readonly kind: "unreachable"; readonly message: string }
  /** This process has not what a pod is given to find it. */
  | { readonly kind: "outside"; readonly message: string }
  /** It answered, but not as an API server does: list anew. */
  | { readonly kind: "garbled"; readonly message: string };

/** An answer that ends the conversation. */
export class Ending extends Error {
  constructor(readonly end: SessionEnd) {
    super(end.kind);
  }
}

/** The end that a status other than 200 means. */
export function endOfStatus(status: number, message: string, retryAfterMs: number): SessionEnd {
  return status === 410 ? { kind: "expired" } : { kind: "refused", status, message, retryAfterMs };
}

/** Whether it may be over in a moment, with nobody doing anything about it: an API server that starts, or is overloaded. */
export function mayPass(end: SessionEnd): boolean {
  if (end.kind === "refused") return end.status === 429 || end.status >= 500;
  return end.kind !== "outside";
}

/** An end because of an answer that makes no sense. */
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
  if (cause instanceof NotInClusterError) return { kind: "outside", message: cause.message };
  if (cause instanceof LineTooLongError) return { kind: "garbled", message: cause.message };
  return { kind: "unreachable", message: wordsOf(cause) };
}

/** fetch says only "fetch failed"; the reason is in the cause. */
function wordsOf(cause: unknown): string {
  return messageOf(cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause);
}
