// A collector of traces, as small as can be: takes what Deno's exporter posts (OTLP over HTTP, JSON) and
// keeps the spans.

import { until } from "./until.ts";

export interface CollectedSpan {
  readonly scope: string;
  readonly name: string;
  readonly kind: "internal" | "server" | "client";
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first span of a trace. */
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly failed: boolean;
  readonly events: readonly string[];
  /** Nanoseconds since 1970. */
  readonly start: bigint;
  readonly end: bigint;
}

const KINDS = ["internal", "internal", "server", "client"] as const;

export class OtlpCollector implements AsyncDisposable {
  readonly spans: CollectedSpan[] = [];
  /** `service.name` of each batch. */
  readonly services = new Set<string>();
  private readonly server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      if (new URL(request.url).pathname === "/v1/traces") this.take(await request.json());
      return Response.json({});
    },
  );

  /** What an operator sets to have traces sent here. */
  get env(): Record<string, string> {
    return {
      OTEL_DENO: "true",
      OTEL_DENO_METRICS: "false",
      OTEL_DENO_CONSOLE: "ignore",
      OTEL_SERVICE_NAME: "weir",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.server.addr.port}`,
      OTEL_BSP_SCHEDULE_DELAY: "20",
    };
  }

  /** The spans of a trace in the order in which they began, once there are `count`. */
  async trace(traceId: string, count: number): Promise<CollectedSpan[]> {
    const found = () => this.spans.filter((span) => span.traceId === traceId);
    await until(`${count} spans of trace ${traceId}`, () => found().length >= count);
    // A first attempt begins with its request.
    return found().sort((a, b) =>
      Number(a.start - b.start) || Number(a.kind !== "server") - Number(b.kind !== "server")
    );
  }

  // deno-lint-ignore no-explicit-any
  private take({ resourceSpans }: any): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      this.services.add(String(record(resource.attributes)["service.name"]));
      for (const { scope, spans } of scopeSpans) {
        for (const span of spans) {
          this.spans.push({
            ...span,
            scope: scope.name,
            kind: KINDS[span.kind]!,
            attributes: record(span.attributes),
            failed: span.status.code === 2,
            events: span.events.map(({ name }: { name: string }) => name),
            start: BigInt(span.startTimeUnixNano),
            end: BigInt(span.endTimeUnixNano),
          });
        }
      }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server.shutdown();
  }
}

/** @throws when a name comes twice, which OTLP forbids. */
// deno-lint-ignore no-explicit-any
function record(attributes: any[]): Record<string, string | number | boolean> {
  const found: Record<string, string | number | boolean> = {};
  for (const { key, value } of attributes) {
    if (key in found) throw new Error(`attribute ${key} twice`);
    found[key] = "intValue" in value ? Number(value.intValue) : Object.values(value)[0] as string;
  }
  return found;
}
