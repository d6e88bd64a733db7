// One line per request, made from its record and handed over in batches.
//
// A batch leaves when it is large enough or a moment has passed, so that logging costs a request a few
// string joins.

import type { AccessLogConfig } from "../config/schema.ts";
import { Timer, type TimerWheel } from "../timer_wheel.ts";
import { combinedLine, jsonLine } from "./access_line.ts";
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
    this.lines += (format === "combined" ? combinedLine : jsonLine)(record, this.target(record), epochMs) +
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
}
