// Whether a client sends its request's body fast enough: its bytes against the time in which they were waited for.
//
// One per connection of the wire listener. A client that waits for 100 is not slow before it was told to go on
// (RFC 9110 10.1.1): it is the endpoint that is waited for.

/** What a client's pace is held against. */
export interface PaceLimits {
  /** Slowest request body, bytes a second; 0 is off. */
  readonly bodyBytesPerSecondMin: number;
  /** Milliseconds of waiting for a body that are free. */
  readonly bodyGraceMs: number;
}

/** The clock that deadlines are reckoned with. */
export interface PaceClock {
  readonly clock: number;
  after(ms: number): number;
}

export class BodyPace {
  /** When the read that is under way will have taken too long; Infinity for never. */
  deadline = Infinity;
  /** The client waits for 100. */
  withheld = false;
  private reading = false;
  private since = 0;
  private bytes = 0;
  private waitedMs = 0;

  constructor(private readonly time: PaceClock, private readonly limits: PaceLimits) {}

  /** Another body. @param withheld until the client is told 100, unless it comes before */
  begin(withheld: boolean): void {
    this.withheld = withheld;
    this.bytes = this.waitedMs = 0;
  }

  /** The client is waited for. */
  wait(): void {
    this.reading = true;
    this.since = this.time.clock;
    this.deadline = this.nextDeadline();
  }

  /** The wait is over, and brought `count` bytes. */
  came(count: number): void {
    this.goOn();
    this.reading = false;
    this.deadline = Infinity;
    this.waitedMs += this.time.clock - this.since;
    this.bytes += count;
  }

  /** The client was told 100, or waits for it no longer: its time begins. */
  goOn(): void {
    if (!this.withheld) return;
    this.withheld = false;
    this.since = this.time.clock;
    if (this.reading) this.deadline = this.nextDeadline();
  }

  /** When the body will have been slower than it may be, if nothing comes. */
  private nextDeadline(): number {
    const { bodyBytesPerSecondMin, bodyGraceMs } = this.limits;
    if (bodyBytesPerSecondMin === 0 || this.withheld) return Infinity;
    const allowedMs = bodyGraceMs + this.bytes * 1_000 / bodyBytesPerSecondMin;
    return this.time.after(Math.max(0, allowedMs - this.waitedMs));
  }
}
