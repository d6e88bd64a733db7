// Time and chance for the control plane, in one thing that tests replace.
//
// Everything in `control/` that waits, measures or draws gets a Clock; nothing here reads a global clock.

/** A call that comes so much later than planned, milliseconds, may come to a loop that stood still ... */
const LATE_MS = 5;
/** ... which has this long to read what came meanwhile, before anything is called too late for it. */
const READING_MS = 10;

/** Gives up a planned call; calling it late or twice changes nothing. */
export type Cancel = () => void;

export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Milliseconds since 1970, for people to read. */
  date(): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** Calls back once, `ms` from now. */
  after(ms: number, callback: () => void): Cancel;
}

/** The clock of the running process. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  random: () => Math.random(),
  after: (ms, callback) => {
    const due = performance.now() + ms;
    let id = plan(ms, () => {
      if (performance.now() - due <= LATE_MS) callback();
      else id = plan(READING_MS, callback);
    });
    return () => clearTimeout(id);
  },
};

function plan(ms: number, callback: () => void): ReturnType<typeof setTimeout> {
  const id = setTimeout(callback, ms);
  Deno.unrefTimer(id);
  return id;
}

/** `ms` moved at random by up to `percent` either way, so that what starts together drifts apart. */
export function jittered(ms: number, percent: number, random: number): number {
  return ms * (1 + (percent / 100) * (2 * random - 1));
}
