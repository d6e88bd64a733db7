// One line per request, made from its record and handed over in batches.
//
// A batch leaves when it is large enough or a moment has passed, so that logging costs a request a few
// string joins. What carries secrets is never asked for: no cookies, no Authorization.

import { headerValue } from "../exchange.ts";
import type { AccessLogConfig } from "../config/schema.ts";
import { Timer, type TimerWheel } from "../timer_wheel.ts";
import type { RequestRecord } from "./record.ts";

const BATCH_CHARACTERS = 16_384;
const BATCH_MS = 100;

export class AccessLog {
  private lines = "";
  private readonly timer: Timer;

  constructor(
    private config: AccessLogConfig,
    private readonly wheel: TimerWheel,
    private readonly random: () => number,
    /** Takes whole lines. */
    private readonly write: (lines: string) => void,
  ) {
    this.timer = new Timer(() => this.flush());
  }

  apply(config: AccessLogConfig): void {
    this.config = config;
  }

  get off(): boolean {
    return this.config.format === "off";
  }

  /** @param epochMs wall time of the request's arrival */
  record(record: RequestRecord, epochMs: number): void {
    const { format, sampleOneIn } = this.config;
    const failed = record.cause !== "" || record.loggedStatus >= 500 || record.delivery?.kind === "truncated";
    if (format === "off" || (format === "errors" && !failed)) return;
    if (!failed && sampleOneIn > 1 && this.random() * sampleOneIn >= 1) return;
    this.lines += (format === "combined" ? this.combined(record, epochMs) : this.json(record, epochMs)) +
      "\n";
    if (this.lines.length >= BATCH_CHARACTERS) this.flush();
    else if (this.timer.deadline === Infinity) this.wheel.arm(this.timer, BATCH_MS);
  }

  flush(): void {
    this.wheel.disarm(this.timer);
    if (this.lines === "") return;
    const lines = this.lines;
    this.lines = "";
    this.write(lines);
  }

  private target(record: RequestRecord): string {
    const { target } = record.head;
    const query = this.config.redactQuery ? target.indexOf("?") : -1;
    return query < 0 ? target : target.substring(0, query) + "?-";
  }

  private json(record: RequestRecord, epochMs: number): string {
    const { head } = record;
    return JSON.stringify({
      time: new Date(epochMs).toISOString(),
      client: record.clientAddress,
      method: head.method,
      target: this.target(record),
      host: head.authority,
      version: head.version,
      status: record.loggedStatus,
      durationMs: rounded(record.endedAt - record.startedAt),
      bytesIn: record.bytesIn,
      bytesOut: record.bytesOut,
      route: record.route?.name,
      upstream: record.upstream?.name,
      endpoint: record.attempts.at(-1)?.endpoint,
      attempts: record.attempts.map((attempt) => ({
        endpoint: attempt.endpoint,
        outcome: attempt.outcome,
        headMs: attempt.headAt === 0 ? undefined : rounded(attempt.headAt - attempt.startedAt),
        reused: attempt.reused,
        verdict: attempt.retryVerdict,
      })),
      requestId: record.requestId,
      trace: traceId(headerValue(head.headers, "traceparent")),
      tls: head.scheme === "https" ? true : undefined,
      end: record.delivery?.kind ?? "clientGone",
      cause: record.cause === "" ? undefined : record.cause,
    });
  }

  /** The combined format of web servers; `-` where nothing is known. */
  private combined(record: RequestRecord, epochMs: number): string {
    const { head } = record;
    const quoted = (text: string | undefined) => text === undefined ? "-" : text.replace(/["\\]/g, "\\$&");
    return `${record.clientAddress} - - [${commonTime(new Date(epochMs))}] ` +
      `"${head.method} ${quoted(this.target(record))} HTTP/${head.version}" ${record.loggedStatus} ` +
      `${record.bytesOut} "${quoted(headerValue(head.headers, "referer"))}" ` +
      `"${quoted(headerValue(head.headers, "user-agent"))}"`;
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

/** The trace id of a W3C traceparent. */
function traceId(traceparent: string | undefined): string | undefined {
  const match = traceparent === undefined ? null : /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent);
  return match?.[1];
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `10/Oct/2000:13:55:36 +0000` */
function commonTime(date: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:` +
    `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}
