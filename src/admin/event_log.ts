// The timeline of the pod: the last events, and those who want to hear of the next.
//
// Made by the joiner of the control plane, which tells it what leaves report (`onEjected`, `onStateChange`,
// reloads, workers); it gives AdminSources its `recentEvents` and `subscribe`. Bounded; a listener that
// throws harms nobody else.

import type { PodEvent } from "./sources.ts";

export interface EventLogOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly eventsMax?: number;
}

export class EventLog {
  private readonly events: PodEvent[] = [];
  private readonly listeners = new Set<(event: PodEvent) => void>();
  private lastId = 0;

  constructor(private readonly options: EventLogOptions) {}

  /** Something happened: one sentence with the reason. */
  happened(kind: PodEvent["kind"], tone: PodEvent["tone"], text: string): void {
    const event = { id: ++this.lastId, at: this.options.now(), kind, tone, text };
    this.events.push(event);
    if (this.events.length > (this.options.eventsMax ?? 200)) this.events.shift();
    for (const listener of this.listeners) {
      try {
        listener(event);
      } catch {
        // Whoever listens answers for its own errors; the event is told to the others all the same.
      }
    }
  }

  /** Oldest first. */
  recent(): readonly PodEvent[] {
    return this.events;
  }

  /** @returns the way to stop it. */
  subscribe(listener: (event: PodEvent) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** How many listen now. */
  get subscribed(): number {
    return this.listeners.size;
  }
}
