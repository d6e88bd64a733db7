// Whether Deno exports traces, and how Deno.serve is kept from telling every request a second time.
//
// Deno reads OTEL_DENO and the rest itself; that it makes traces shows in what it registers for
// @opentelemetry/api, where that package looks. Nothing here needs a permission or the package.

/** What @opentelemetry/api 1.x and Deno agree on (`getGlobal`, `createContextKey`). */
const API = Symbol.for("opentelemetry.js.api.1");
const ACTIVE_SPAN = Symbol.for("OpenTelemetry Context Key SPAN");

interface Registered {
  /** Absent while only metrics or logs are exported. */
  readonly trace?: unknown;
  readonly context?: { active(): { getValue(key: symbol): { end(): void } | undefined } };
}

function registered(): Registered {
  return (globalThis as unknown as Record<symbol, Registered | undefined>)[API] ?? {};
}

/** Whether spans are exported: OTEL_DENO is on, and OTEL_DENO_TRACING not off. */
export function isTracing(): boolean {
  return registered().trace !== undefined;
}

/**
 * Called at the start of a handler of Deno.serve: the span that Deno makes of the request is never exported.
 * It ends with the response's head, and cannot be corrected: what is set again is told twice, so a query that
 * is to stay out of traces would show. A span that does not end is not exported.
 */
export function dropDenoSpan(): void {
  const span = registered().context?.active().getValue(ACTIVE_SPAN);
  if (span !== undefined) span.end = () => {};
}
