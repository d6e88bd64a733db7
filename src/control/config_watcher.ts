// Tells when the configuration file says something else than before.
//
// Made by `cli/run.ts` for a pod with a file. It watches the file's directory, because a watched file is lost
// once it is replaced: an editor renames a new one over it, and a ConfigMap mount swaps the link `..data`
// beside it. What is told is always a change of the text, so touching the file tells nothing. A slow poll
// catches what no notice came for.

import type { Cancel, Clock } from "./clock.ts";

/** Notices of changes in a directory, until it is closed. */
export interface DirectoryNotices extends AsyncIterable<unknown> {
  close(): void;
}

export interface ConfigWatcherInputs {
  readonly clock: Clock;
  readonly readTextFile: (path: string) => Promise<string>;
  /** @throws when the directory cannot be watched */
  readonly watchDirectory: (path: string) => DirectoryNotices;
}

/** Writers are given this long to finish: a file written in place is empty for a moment. */
const SETTLE_MS = 100;
const POLL_MS = 10_000;

export class ConfigWatcher {
  private notices: DirectoryNotices | null = null;
  private watching: Promise<void> = Promise.resolve();
  private settling: Cancel | null = null;
  private polling: Cancel | null = null;
  private closed = false;

  constructor(
    private readonly path: string,
    /** What was loaded; null when the file could not be read. */
    private text: string | null,
    private readonly inputs: ConfigWatcherInputs,
    private readonly onChange: () => void,
  ) {
    try {
      this.notices = inputs.watchDirectory(directoryOf(path));
      this.watching = this.follow(this.notices);
    } catch {
      // The poll is slower and sees the same.
    }
    this.planPoll();
  }

  private async follow(notices: DirectoryNotices): Promise<void> {
    for await (const _ of notices) {
      this.settling?.();
      this.settling = this.inputs.clock.after(SETTLE_MS, () => void this.look());
    }
  }

  private planPoll(): void {
    this.polling = this.inputs.clock.after(POLL_MS, async () => {
      await this.look();
      if (!this.closed) this.planPoll();
    });
  }

  /** A file that is gone or unreadable is a change too: whoever reloads says why it cannot be read. */
  private async look(): Promise<void> {
    const text = await this.inputs.readTextFile(this.path).catch(() => null);
    if (this.closed || text === this.text) return;
    this.text = text;
    this.onChange();
  }

  async close(): Promise<void> {
    this.closed = true;
    this.settling?.();
    this.polling?.();
    this.notices?.close();
    await this.watching;
  }
}

function directoryOf(path: string): string {
  const end = path.lastIndexOf("/");
  return end < 0 ? "." : end === 0 ? "/" : path.substring(0, end);
}
