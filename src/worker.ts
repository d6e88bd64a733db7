// The module of a Web Worker: one event loop, from its `start` message to its end.

import { EventLoop } from "./event_loop.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { podTimeOffsetMs } from "./pod_time.ts";
import { isTracing } from "./tracing/deno_spans.ts";

const worker = self as unknown as {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
};

let loop: EventLoop | null = null;
let loadedAt = 0;
// Without traces nothing of OpenTelemetry is loaded.
const makeTracer = isTracing() ? (await import("./tracing/otel.ts")).otelTracer : null;

worker.onmessage = ({ data }) => {
  if (data.kind === "start") {
    const offsetMs = podTimeOffsetMs(data.sent, { now: performance.now(), date: Date.now(), loadedAt });
    loop = new EventLoop(data, (message) => worker.postMessage(message), offsetMs, makeTracer);
  } else loop?.receive(data);
};

// What nobody catches ends the thread behind this; the log lines that are handed over here are heard all the same.
for (const end of ["error", "unhandledrejection"]) addEventListener(end, () => loop?.flushLog());

// Held as long as this thread lives: the supervisor waits for it, and so learns of any end of the thread.
const lifeline = crypto.randomUUID();
navigator.locks.request(lifeline, () => {
  loadedAt = performance.now();
  worker.postMessage({ kind: "loaded", lifeline });
  return new Promise(() => {});
});
