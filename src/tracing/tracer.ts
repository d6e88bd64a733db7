// The contract between the proxy and whoever makes traces of its requests.
//
// A proxy without tracing has null in the place of a Tracer, and asks for no more than that. The one that
// there is, `otel.ts`, is loaded only where traces are wanted.

import type { HeaderLines, RequestHead } from "../exchange.ts";

/** Makes a trace of each request. */
export interface Tracer {
  /** A request arrived. */
  begin(request: ArrivedRequest): RequestTrace;
}

/** The two clocks that a tracer goes by. */
export interface TracerInputs {
  /** Monotonic milliseconds, as in records. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly epoch: () => number;
}

/** What is known of a request when its trace begins. */
export interface ArrivedRequest {
  readonly head: RequestHead;
  /** How the client asked, as far as that is known: a proxy in front may have been asked in another way. */
  readonly scheme: string;
  /** `host[:port]` that the client asked. */
  readonly authority: string;
  /** Address of the peer on the connection. */
  readonly peer: string;
  /** Monotonic milliseconds. */
  readonly startedAt: number;
  /** Whether queries stay out of traces as they stay out of the log. */
  readonly redactQuery: boolean;
}

/** The trace of one request: a server span, and a client span for each attempt. */
export interface RequestTrace {
  /** 32 hex digits. */
  readonly id: string;
  /** An attempt begins. @returns `lines` with the fields that continue the trace at the endpoint */
  beginAttempt(attempt: TracedAttempt, to: Destination, lines: HeaderLines): HeaderLines;
  /** The attempt of the last `beginAttempt` is over, unless its answer is still to be read. */
  endAttempt(): void;
  /** The request is over, and with it every attempt. */
  end(request: EndedRequest): void;
}

/** Where an attempt goes, and for what. */
export interface Destination {
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  readonly target: string;
}

/** What is known of an attempt; filled in while it goes. */
export interface TracedAttempt {
  readonly startedAt: number;
  /** 0 while no response head is there. */
  readonly headAt: number;
  readonly outcome: string;
  readonly reused: boolean;
  readonly retryVerdict?: string | undefined;
}

/** What is known of a request once it is over. */
export interface EndedRequest {
  readonly requestId: string;
  readonly clientAddress: string;
  readonly route: { readonly name: string; readonly match: { readonly path?: string | undefined } } | null;
  readonly upstream: { readonly name: string } | null;
  /** 0 when no answer was begun. */
  readonly status: number;
  readonly delivery: { readonly kind: string } | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly cause: string;
  readonly endedAt: number;
}
