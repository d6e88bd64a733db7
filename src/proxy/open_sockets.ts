// The WebSockets, tunnels and event streams of one worker, so that they can be asked to leave: all of them,
// spread over a window, because clients come back as soon as they are closed.

import { Timer, type TimerWheel } from "../timer_wheel.ts";

/** Something that stands until one of its sides ends it. */
export interface OpenSocket {
  /** Weir goes away: tells both sides (1001 for a WebSocket), or ends as soon as nothing is lost. Idempotent. */
  goAway(): void;
}

export class OpenSockets {
  /** True: nothing new is to open. */
  refusing = false;
  private readonly open = new Set<OpenSocket>();
  private waiting: { readonly for: Set<OpenSocket>; readonly resolve: () => void }[] = [];

  constructor(private readonly wheel: TimerWheel) {}

  get size(): number {
    return this.open.size;
  }

  /** Counts it as open until the returned function is called. */
  enter(socket: OpenSocket): () => void {
    this.open.add(socket);
    if (this.refusing) socket.goAway();
    return () => {
      this.open.delete(socket);
      this.waiting = this.waiting.filter((waiter) => {
        waiter.for.delete(socket);
        if (waiter.for.size === 0) waiter.resolve();
        return waiter.for.size > 0;
      });
    };
  }

  /** Asks those that are open now to leave, evenly over `windowMs`; settles when they have. */
  async closeAll(windowMs: number): Promise<void> {
    const leaving = [...this.open];
    if (leaving.length === 0) return;
    const gone = new Promise<void>((resolve) => this.waiting.push({ for: new Set(leaving), resolve }));
    leaving.forEach((socket, index) => {
      const delayMs = windowMs * index / leaving.length;
      if (delayMs === 0) socket.goAway();
      else this.wheel.arm(new Timer(() => socket.goAway()), delayMs);
    });
    await gone;
  }
}
