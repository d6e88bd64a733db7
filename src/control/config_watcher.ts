// Tells when the configuration file says something else than was last read of it.
//
// Made by `cli/run.ts` for a pod with a file, whose reloads read it here, whatever their occasion: one that SIGHUP asked
// for may have read what is gone by the next look. What is told is always a change of the text, so touching the file
// tells nothing; `file_watch.ts` sees it however the file is replaced, and its poll catches what leaves no trace.
// A configuration that came through a pipe is followed once a file stands in its place.

import { FifoError } from "../config/file.ts";
import { wantsDescriptors } from "../error_message.ts";
import type { Clock } from "./clock.ts";
import { FileWatch, type FileWatchInputs } from "./file_watch.ts";

export interface ConfigWatcherInputs {
  readonly clock: Clock;
  readonly readTextFile: (path: string) => Promise<string>;
  readonly identify: FileWatchInputs["identify"];
  /** Never rejects. */
  readonly isFifo: (path: string) => Promise<boolean>;
}

/** Writers are given this long to finish: a file written in place is empty for a moment. */
const SETTLE_MS = 100;
const POLL_MS = 10_000;

export class ConfigWatcher {
  private readonly watch: FileWatch;
  private closed = false;
  /** What was read came out of a FIFO, and stays what that says: no look has found a file in its place. */
  private cameByFifo: Promise<boolean> | false;

  constructor(
    private readonly path: string,
    /** What was last read; null when the file could not be read. */
    private text: string | null,
    private readonly inputs: ConfigWatcherInputs,
    private readonly onChange: () => void,
  ) {
    const { clock, identify, isFifo } = inputs;
    this.cameByFifo = isFifo(path);
    this.watch = new FileWatch({
      files: [path],
      clock,
      identify,
      onMaybeChanged: () => void this.look(),
      quietMs: SETTLE_MS,
      pollMs: POLL_MS,
    });
    this.watch.start();
  }

  /** The text of the file, for a reload. Rejects when it cannot be read. */
  async read(): Promise<string> {
    try {
      return this.text = await this.inputs.readTextFile(this.path);
    } catch (error) {
      this.text = null;
      throw error;
    }
  }

  /** What was read has not been judged: it is told of again by the next poll. */
  forget(): void {
    this.text = null;
  }

  /** A file that is gone or unreadable is a change too: whoever reloads says why it cannot be read. */
  private async look(): Promise<void> {
    const text = await this.seen();
    if (this.closed || text === this.text) return;
    this.text = text;
    this.onChange();
  }

  /** The text of the file, null when it cannot be read; what was last read where a look learns nothing. */
  private async seen(): Promise<string | null> {
    try {
      const text = await this.inputs.readTextFile(this.path);
      this.cameByFifo = false;
      return text;
    } catch (error) {
      const learnsNothing = wantsDescriptors(error) || (error instanceof FifoError && await this.cameByFifo);
      return learnsNothing ? this.text : null;
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.watch.stop();
  }
}
