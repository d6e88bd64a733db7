// A request's body on the serve listener, from whatever stream a test makes.

import { ServeBody } from "../../src/listener/serve_body.ts";
import { StuckReads } from "../../src/listener/serve_stuck.ts";
import { StillTime } from "./still_time.ts";

/** @param options.client aborts when the client cancels; nothing then says whether there is a body */
export function serveBody(
  stream: ReadableStream<Uint8Array>,
  length: number | null,
  options: {
    readonly wheel?: StillTime["wheel"];
    readonly onEnd?: () => void;
    readonly client?: AbortController;
    readonly http2?: boolean;
    /** Those under way, this one included. */
    readonly requests?: number;
    readonly stuck?: StuckReads;
  } = {},
): ServeBody {
  const { wheel = new StillTime().wheel, stuck = new StuckReads(() => {}) } = options;
  const { onEnd = () => {}, client, http2 = false, requests = 1 } = options;
  const { signal } = client ?? new AbortController();
  const head = { version: http2 ? "2" : "1.1" } as const;
  const undeclared = client !== undefined;
  const surroundings = { wheel, departures: { count: requests }, stuck };
  return new ServeBody(
    { body: stream, signal },
    { head, contentLength: length, undeclared },
    surroundings,
    onEnd,
  );
}
