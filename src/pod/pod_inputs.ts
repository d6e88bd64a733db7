// What a pod is made with: the configuration, and everything that reaches out of the process.

import type { Loaded } from "../config/loading.ts";
import type { Clock } from "../control/clock.ts";
import type { EventBook } from "./event_book.ts";

export interface PodInputs {
  readonly loaded: Loaded;
  readonly clock: Clock;
  readonly events: EventBook;
  readonly readTextFile: (path: string) => Promise<string>;
  /** The same for what may have been replaced since the start. */
  readonly rereadTextFile: (path: string) => Promise<string>;
  /** Takes access log lines, out of memory that is written again. */
  readonly writeLog: (lines: Uint8Array) => void;
  /** Lines that the log had no room for so far. */
  readonly logLinesDropped: () => number;
  /** Suffix of the Via pseudonym; unique per process. */
  readonly instance: string;
  /** Signs sticky cookies, when no file is configured. */
  readonly stickyKey: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly workerModule: URL;
  /** Called when a worker accepts connections for the first time, and when one has trouble before that. */
  readonly onFirstWord?: (listening: boolean) => void;
  readonly supervision?: { readonly tickMs: number; readonly missedTicksMax: number };
}
