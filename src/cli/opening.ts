// The first words of a run: the banner, and then what has happened until it could be said.

import type { Cancel, Clock } from "../control/clock.ts";

/** What happens while nobody can be served yet waits for the banner, but not longer than this. */
const PATIENCE_MS = 2_000;

/** Lets the banner come first, once a worker listens; where none does, what happened is said without it. */
export class Opening {
  private waiting: string[] | null = [];
  /** A worker has accepted connections. */
  listened = false;
  private readonly cancelPatience: Cancel;

  constructor(
    private readonly banner: () => string,
    private readonly write: (text: string) => void,
    clock: Pick<Clock, "after">,
  ) {
    this.cancelPatience = clock.after(PATIENCE_MS, () => this.firstWord(false));
  }

  say(text: string): void {
    if (this.waiting === null) this.write(text);
    else this.waiting.push(text);
  }

  /** A worker listens, or has trouble before that. */
  firstWord(listening: boolean): void {
    if (listening && !this.listened) this.write(this.banner());
    this.listened ||= listening;
    const waiting = this.waiting ?? [];
    this.waiting = null;
    for (const text of waiting) this.write(text);
  }

  /** The banner is not waited for any more. */
  end(): void {
    this.cancelPatience();
    this.firstWord(false);
  }
}
