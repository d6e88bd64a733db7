// Traces by OpenTelemetry, handed to Deno's built-in exporter: the only file that knows its API.
//
// Loaded where traces are wanted, once per event loop. A request is a server span, each attempt a client span
// under it, named and described as the HTTP semantic conventions (1.23 and later) ask. Times are the record's
// own, laid on the wall clock of the request's arrival, so that a span never ends before it begins.

import { type Context, ROOT_CONTEXT, type Span, SpanKind, trace } from "@opentelemetry/api";
import type { HeaderLines } from "../exchange.ts";
import { VERSION } from "../version.ts";
import {
  clientAttributes,
  failedAs,
  finalAttributes,
  methodName,
  serverAttributes,
  spanName,
} from "./attributes.ts";
import { dropDenoSpan } from "./deno_spans.ts";
import { continueTrace, formatTraceParent, type TraceParent, traceParentOf } from "./trace_parent.ts";
import type {
  ArrivedRequest,
  Destination,
  EndedRequest,
  RequestTrace,
  TracedAttempt,
  Tracer,
  TracerInputs,
} from "./tracer.ts";

const ERROR = { code: 2 };

/** A tracer whose spans Deno exports. */
export function otelTracer(inputs: TracerInputs): Tracer {
  const spans = trace.getTracer("weir", VERSION);
  const start = (name: string, kind: SpanKind, startTime: number, under: Context) =>
    spans.startSpan(name, { kind, startTime }, under);
  return {
    begin(request) {
      dropDenoSpan();
      return new OtelTrace(request, inputs, start);
    },
  };
}

type StartSpan = (name: string, kind: SpanKind, startTime: number, under: Context) => Span;

class OtelTrace implements RequestTrace {
  readonly id: string;
  private readonly parent: TraceParent | null;
  private readonly server: Span;
  private readonly sampled: boolean;
  /** What turns the record's times into milliseconds since 1970. */
  private readonly offset: number;
  private attempts = 0;
  private open: OpenAttempt | null = null;

  constructor(
    private readonly request: ArrivedRequest,
    private readonly inputs: TracerInputs,
    private readonly start: StartSpan,
  ) {
    const { head, startedAt } = request;
    this.offset = inputs.epoch() - inputs.now();
    this.parent = traceParentOf(head.headers);
    const under = this.parent === null ? ROOT_CONTEXT : contextOf(this.parent);
    this.server = start(methodName(head.method), SpanKind.SERVER, startedAt + this.offset, under);
    const { traceId, sampled } = idsOf(this.server);
    this.id = traceId;
    this.sampled = sampled;
  }

  beginAttempt(attempt: TracedAttempt, to: Destination, lines: HeaderLines): HeaderLines {
    this.close();
    const under = trace.setSpan(ROOT_CONTEXT, this.server);
    const name = methodName(this.request.head.method);
    const span = this.start(name, SpanKind.CLIENT, attempt.startedAt + this.offset, under);
    this.open = { attempt, to, span, resends: this.attempts++, endedAt: 0 };
    return continueTrace(lines, formatTraceParent(idsOf(span)), this.parent !== null);
  }

  endAttempt(): void {
    // The span itself waits for the verdict on another attempt.
    if (this.open !== null) this.open.endedAt = this.inputs.now();
  }

  end(request: EndedRequest): void {
    this.close(request);
    if (this.sampled) {
      this.server.updateName(spanName(this.request.head, request));
      this.server.setAttributes(serverAttributes(this.request));
      this.server.setAttributes(finalAttributes(request));
      if (failedAs(request) !== null) this.server.setStatus(ERROR);
    }
    this.server.end(request.endedAt + this.offset);
  }

  /** Ends the span of an attempt; one whose answer was still being read ends with the request. */
  private close(request: EndedRequest | null = null): void {
    const { open } = this;
    if (open === null) return;
    this.open = null;
    const { span, attempt } = open;
    if (this.sampled) {
      const { method } = this.request.head;
      const attributes = clientAttributes(method, open, this.request.redactQuery, request);
      span.setAttributes(attributes);
      if (attempt.headAt > 0) span.addEvent("response head", attempt.headAt + this.offset);
      if ("error.type" in attributes) span.setStatus(ERROR);
    }
    span.end((open.endedAt || request?.endedAt || this.inputs.now()) + this.offset);
  }
}

/** A client span that has not ended. */
interface OpenAttempt {
  readonly attempt: TracedAttempt;
  readonly to: Destination;
  readonly span: Span;
  /** Attempts before this one. */
  readonly resends: number;
  endedAt: number;
}

function contextOf({ traceId, spanId, sampled }: TraceParent): Context {
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: sampled ? 1 : 0,
    isRemote: true,
  });
}

function idsOf(span: Span): TraceParent {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return { traceId, spanId, sampled: (traceFlags & 1) === 1 };
}
