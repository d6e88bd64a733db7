// Tells when files may have changed, however they were replaced: written, renamed over, or swapped as a whole
// directory, as Kubernetes does with ConfigMaps and Secrets (`..data`).
//
// The directories are watched, not the files: a watched file that is replaced is never heard of again. Nor is a
// directory, so those that were replaced are watched anew. Events are gathered until it has been quiet for a moment.
// Because a watch can be lost, or miss what happens on a network file system, there is a slow poll as well. It never
// says what changed: the reader compares.

import type { Cancel, Clock } from "./clock.ts";

/** Events of directories, until it is closed. */
export interface DirectoryEvents extends AsyncIterable<unknown> {
  close(): void;
  /** Whether what has the directories' names now is what is watched. */
  isCurrent(): boolean;
}

export interface FileWatchInputs {
  readonly files: readonly string[];
  readonly clock: Clock;
  /** @throws when a directory is not there, or there are no watches left */
  readonly watchDirectories: (directories: readonly string[]) => DirectoryEvents;
  /** Something may have changed. */
  readonly onMaybeChanged: () => void;
  /** Silence after which a run of events is over. */
  readonly quietMs?: number;
  readonly pollMs?: number;
}

const QUIET_MS = 200;
const POLL_MS = 30_000;

export class FileWatch {
  private events: DirectoryEvents | null = null;
  private cancelQuiet: Cancel = () => {};
  private cancelPoll: Cancel = () => {};
  private reading: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(private readonly inputs: FileWatchInputs) {}

  start(): void {
    this.watch();
    this.planPoll();
  }

  private watch(): void {
    try {
      this.events = this.inputs.watchDirectories(directoriesOf(this.inputs.files));
    } catch {
      return; // The poll looks, and tries to watch again.
    }
    this.reading = Promise.all([this.reading, this.read(this.events)]).then(() => {});
  }

  private async read(events: DirectoryEvents): Promise<void> {
    try {
      for await (const _ of events) this.gather();
    } catch {
      // Lost: as when it ends by itself.
    }
    if (this.events === events) this.events = null;
  }

  private gather(): void {
    // Events that had come before the end are read after it.
    if (this.stopped) return;
    this.cancelQuiet();
    this.cancelQuiet = this.inputs.clock.after(this.inputs.quietMs ?? QUIET_MS, () => void this.look());
  }

  private planPoll(): void {
    this.cancelPoll = this.inputs.clock.after(this.inputs.pollMs ?? POLL_MS, () => {
      this.planPoll();
      if (this.events === null) this.watch();
      void this.look();
    });
  }

  /** Watches anew first, so that nothing happens unheard in between. */
  private async look(): Promise<void> {
    if (this.events?.isCurrent() === false) {
      this.events.close();
      // Deno gives up a name when the last of its watch has ended, also for a watch that began before.
      await this.reading;
      if (this.stopped) return;
      if (this.events === null) this.watch();
    }
    this.inputs.onMaybeChanged();
  }

  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    this.cancelQuiet();
    this.cancelPoll();
    this.events?.close();
    await this.reading;
  }
}

/** The directories that files stand in, each once. */
export function directoriesOf(files: readonly string[]): string[] {
  return [...new Set(files.map((file) => file.replace(/[^/]*$/, "") || "."))];
}

/** Watches with the system's own means; not what lies below the directories. */
export function watchDirectories(directories: readonly string[]): DirectoryEvents {
  const watched = identityOf(directories);
  const events = Deno.watchFs([...directories], { recursive: false });
  let open = true;
  return {
    [Symbol.asyncIterator]: () => events[Symbol.asyncIterator](),
    close: () => {
      if (open) events.close();
      open = false;
    },
    isCurrent: () => identityOf(directories) === watched,
  };
}

/** What the names stand for, links followed; a directory that is not there has no number. */
function identityOf(directories: readonly string[]): string {
  return directories.map((directory) => {
    try {
      const { dev, ino } = Deno.statSync(directory);
      return `${dev}:${ino}`;
    } catch {
      return "";
    }
  }).join(" ");
}
