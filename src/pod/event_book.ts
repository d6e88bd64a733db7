// What happened to the pod, for people: the last events, whoever listens, and one structured line each.

import type { PodEvent } from "../admin/view.ts";

/** Events that the dashboard and /status can show. */
const KEPT_MAX = 200;
/** Characters of an event that they show; its line in the log has all. A reload tells each of thousands of endpoints. */
export const TEXT_MAX = 16_000;

export class EventBook {
  private readonly kept: PodEvent[] = [];
  private readonly listeners = new Set<(event: PodEvent) => void>();
  private count = 0;

  constructor(
    /** Milliseconds since 1970. */
    private readonly date: () => number,
    /** Takes one line, without its newline. */
    private readonly write: (line: string) => void,
  ) {}

  /** Records what happened, in one sentence with its reason. */
  add(kind: PodEvent["kind"], tone: PodEvent["tone"], text: string): void {
    const event: PodEvent = { id: ++this.count, at: this.date(), kind, tone, text: shown(text) };
    this.kept.push(event);
    if (this.kept.length > KEPT_MAX) this.kept.shift();
    this.write(JSON.stringify({ time: new Date(event.at).toISOString(), event: kind, tone, text }));
    for (const listener of this.listeners) listener(event);
  }

  recent(): readonly PodEvent[] {
    return this.kept;
  }

  /** @returns the way to stop it */
  subscribe(listener: (event: PodEvent) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
}

/** What is shown of a text; a part of it would keep all of it, so it is made anew. */
function shown(text: string): string {
  if (text.length <= TEXT_MAX) return text;
  const beginning = new TextDecoder().decode(new TextEncoder().encode(text.slice(0, TEXT_MAX)));
  return `${beginning}... (the rest is in the log)`;
}
