// Time and chance for the control plane, in one thing that tests replace.
//
// Everything in `control/` that waits, measures or draws gets a Clock; nothing here reads a global clock.

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
    const id = setTimeout(callback, ms);
    Deno.unrefTimer(id);
    return () => clearTimeout(id);
  },
};

/** `ms` moved at random by up to `percent` either way, so that what starts together drifts apart. */
export function jittered(ms: number, percent: number, random: number): number {
  return ms * (1 + (percent / 100) * (2 * random - 1));
}
