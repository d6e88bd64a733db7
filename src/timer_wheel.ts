// One coarse clock per event loop for everything that may take too long.
//
// A timer costs a field write to arm, to move and to disarm: it stays in its slot and is looked at when the
// slot comes up. That suits deadlines that move with every request and almost never fire. The wheel ticks
// only while timers are in it, and never keeps the process alive.

/** What a wheel needs of the outside. */
export interface WheelInputs {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Calls back every `ms` until the returned function is called. */
  readonly every: (ms: number, callback: () => void) => () => void;
}

/** A deadline that its owner arms and disarms; `onTimeout` is called once per arming, never early. */
export class Timer {
  /** Monotonic milliseconds; Infinity when disarmed. */
  deadline = Infinity;
  /** The tick at which the wheel looks at it; -1 while it is in no slot. */
  tick = -1;

  constructor(readonly onTimeout: () => void) {}
}

export class TimerWheel {
  private readonly slots: Timer[][];
  /** The tick whose slot was looked at last. */
  private ticked = 0;
  private population = 0;
  private stopTicking: (() => void) | null = null;
  /** What the clock said when it was last asked here: for what need not be exact, since asking costs. */
  recent: number;

  constructor(
    private readonly inputs: WheelInputs,
    /** Milliseconds: how late a timer may fire. */
    readonly tickMs = 10,
    slotsCount = 1_024,
  ) {
    this.slots = Array.from({ length: slotsCount }, () => []);
    this.recent = inputs.now();
  }

  /** Monotonic milliseconds. */
  get now(): number {
    return this.recent = this.inputs.now();
  }

  /** `ms` from now; replaces what was armed before. `now` may be brought by a caller that just asked. */
  arm(timer: Timer, ms: number, now = this.now): void {
    const deadline = now + ms;
    timer.deadline = deadline;
    const due = Math.ceil(deadline / this.tickMs);
    if (timer.tick >= 0 && timer.tick <= due) return; // Looked at in time where it stands.
    if (timer.tick >= 0) this.take(timer);
    this.put(timer, due);
  }

  disarm(timer: Timer): void {
    timer.deadline = Infinity;
  }

  /** Disarms for good: the wheel lets go of the timer at once. */
  remove(timer: Timer): void {
    timer.deadline = Infinity;
    if (timer.tick >= 0) this.take(timer);
  }

  /** Whether `coming` settles within `ms`. @throws what it rejects with by then */
  async within(ms: number, coming: Promise<unknown>): Promise<boolean> {
    const late = Promise.withResolvers<boolean>();
    const timer = new Timer(() => late.resolve(false));
    this.arm(timer, ms);
    try {
      return await Promise.race([coming.then(() => true), late.promise]);
    } finally {
      this.remove(timer);
    }
  }

  /** Settles once `ms` have passed. */
  pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.arm(new Timer(resolve), ms));
  }

  private put(timer: Timer, due: number): void {
    // Far deadlines wait in the furthest slot and are moved on from there.
    if (this.population === 0) this.ticked = Math.floor(this.inputs.now() / this.tickMs);
    timer.tick = Math.min(Math.max(due, this.ticked + 1), this.ticked + this.slots.length - 1);
    this.slots[timer.tick % this.slots.length]!.push(timer);
    this.population++;
    this.stopTicking ??= this.inputs.every(this.tickMs, () => this.advance());
  }

  private take(timer: Timer): void {
    const slot = this.slots[timer.tick % this.slots.length]!;
    const at = slot.indexOf(timer);
    slot[at] = slot[slot.length - 1]!;
    slot.pop();
    timer.tick = -1;
    this.population--;
  }

  /** Ends the ticking for good: no timer goes off any more. */
  stop(): void {
    this.stopTicking?.();
    this.stopTicking = () => {};
  }

  /** Looks at every slot that came up since the last call. */
  advance(): void {
    const { now } = this;
    const current = Math.floor(now / this.tickMs);
    // A stall longer than one turn of the wheel still visits each slot once.
    const first = Math.max(this.ticked + 1, current - this.slots.length + 1);
    this.ticked = current;
    for (let tick = first; tick <= current; tick++) this.visit(tick % this.slots.length, now);
    if (this.population === 0 && this.stopTicking !== null) {
      this.stopTicking();
      this.stopTicking = null;
    }
  }

  private visit(index: number, now: number): void {
    const slot = this.slots[index]!;
    if (slot.length === 0) return;
    this.slots[index] = [];
    for (const timer of slot) {
      timer.tick = -1;
      this.population--;
    }
    for (const timer of slot) {
      if (timer.tick >= 0) continue; // Armed again by a callback of this round.
      if (timer.deadline <= now) {
        timer.deadline = Infinity;
        timer.onTimeout();
      } else if (timer.deadline !== Infinity) {
        this.put(timer, Math.ceil(timer.deadline / this.tickMs));
      }
    }
  }
}

/**
 * A tick that comes so long after the last, milliseconds, comes to a loop that stood still. More than a container waits
 * for its next share of CPU time (100 ms): one that always does keeps its time.
 */
const STALL_MS = 200;

/** Late ticks that are left out in a row: a loop that is always late has no better moment. */
const SPARED_MAX = 3;

/**
 * `tick`, but not as the first thing after a stall: what came meanwhile is read before, and nobody is called late whose
 * answer was there.
 */
export function sparing(tick: () => void, now: () => number): () => void {
  let before = now();
  let spared = 0;
  return () => {
    const at = now();
    spared = spared < SPARED_MAX && at - before > STALL_MS ? spared + 1 : 0;
    before = at;
    if (spared === 0) tick();
  };
}

/** The wheel of a running event loop, on the clock that its owner reckons with. */
export function runningWheel(now = () => performance.now()): TimerWheel {
  return new TimerWheel({
    now,
    every: (ms, callback) => {
      const id = setInterval(sparing(callback, now), ms);
      Deno.unrefTimer(id);
      return () => clearInterval(id);
    },
  });
}
