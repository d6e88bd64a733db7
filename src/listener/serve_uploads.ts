// What `shutdown()` would break off, so that a drain waits for none: request bodies that are being read, which
// it makes unreadable, and WebSockets, which it cuts.

export class Uploads {
  /** Whether the listener waits for their end: clients that stay on their connections would prolong it. */
  leaving = false;
  private count = 0;
  private waiting: (() => void)[] = [];

  begin(): () => void {
    this.count++;
    return () => {
      if (--this.count !== 0) return;
      for (const resolve of this.waiting.splice(0)) resolve();
    };
  }

  /** Settles when there is none. */
  none(): Promise<void> {
    return this.count === 0 ? Promise.resolve() : new Promise((resolve) => this.waiting.push(resolve));
  }
}
