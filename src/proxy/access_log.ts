// One line per request, made from its record and handed over in batches.
//
// A batch leaves when it is large enough or a moment has passed: what it costs to hand one over, well over a hundred
// microseconds on two threads, is shared by three hundred requests.

import type { AccessLogConfig } from "../config/schema.ts";
import { Timer, type TimerWheel } from "../timer_wheel.ts";
import { combinedLine, jsonLine } from "./access_line.ts";
import { LineBuffer } from "./access_line_buffer.ts";
import type { RequestRecord } from "./record.ts";

const BATCH_BYTES = 131_072;
/** The last line of a batch goes beyond it. */
export const BUFFER_BYTES = BATCH_BYTES + 16_384;
const BATCH_MS = 100;

export class AccessLog {
  private readonly lines = new LineBuffer(BUFFER_BYTES);
  private readonly timer: Timer;

  constructor(
    private config: AccessLogConfig,
    private readonly wheel: TimerWheel,
    private readonly random: () => number,
    /** Takes whole lines, out of memory that is written again. */
    private readonly write: (lines: Uint8Array) => void,
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
    const line = format === "combined" ? combinedLine : jsonLine;
    line(this.lines, record, this.target(record), epochMs);
    if (this.lines.length >= BATCH_BYTES) this.flush();
    else if (this.timer.deadline === Infinity) this.wheel.arm(this.timer, BATCH_MS);
  }

  flush(): void {
    this.wheel.disarm(this.timer);
    if (this.lines.length > 0) this.write(this.lines.take());
  }

  private target(record: RequestRecord): string {
    const { target } = record.head;
    const query = this.config.redactQuery ? target.indexOf("?") : -1;
    return query < 0 ? target : target.substring(0, query) + "?-";
  }
}
