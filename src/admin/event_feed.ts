// The dashboards that listen: each a stream of server-sent events, bounded in number and in memory.
//
// `server.ts` opens one per GET /events and broadcasts to all. A reader that falls behind is dropped, not
// waited for: its browser connects again by itself and gets the newest state. Nothing here throws.

import { type ServerSentEventMessage, ServerSentEventStream } from "@std/http/server-sent-event-stream";

export interface EventFeedLimits {
  readonly readersMax: number;
  /** Messages that may wait for one reader. */
  readonly waitingMax: number;
}

export class EventFeed {
  private readonly readers = new Set<ReadableStreamDefaultController<ServerSentEventMessage>>();

  constructor(private readonly limits: EventFeedLimits = { readersMax: 32, waitingMax: 8 }) {}

  /** Dashboards that listen now. */
  get size(): number {
    return this.readers.size;
  }

  /** A body for one more reader that begins with what `greeting` makes, or null when there are too many. */
  open(greeting: () => readonly ServerSentEventMessage[]): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    if (this.readers.size >= this.limits.readersMax) return null;
    const first = greeting();
    let own: ReadableStreamDefaultController<ServerSentEventMessage>;
    const messages = new ReadableStream<ServerSentEventMessage>({
      start: (controller) => {
        own = controller;
        this.readers.add(controller);
        for (const message of first) controller.enqueue(message);
      },
      cancel: () => void this.readers.delete(own),
    }, { highWaterMark: this.limits.waitingMax + first.length });
    return messages.pipeThrough(new ServerSentEventStream());
  }

  /** One more message for everybody. */
  broadcast(message: ServerSentEventMessage): void {
    for (const reader of this.readers) {
      if ((reader.desiredSize ?? 0) > 0) reader.enqueue(message);
      else this.drop(reader, new Error("the reader fell behind"));
    }
  }

  /** Ends every stream cleanly. */
  close(): void {
    for (const reader of this.readers) {
      this.readers.delete(reader);
      reader.close();
    }
  }

  private drop(reader: ReadableStreamDefaultController<ServerSentEventMessage>, why: Error): void {
    this.readers.delete(reader);
    reader.error(why);
  }
}
