// Tells when files may have changed, however that came: written, renamed over, or led elsewhere by a link or a directory
// that was replaced, as Kubernetes does with ConfigMaps and Secrets (`..data`).
//
// Four times a second it asks the system what stands behind their names. Being told by it costs more: it tells of
// directories, so of each line of a log that is written there, but of none that is replaced, and opens what appears
// in them, which waits for ever where that is a FIFO. A change is told once it has been quiet for a moment. What
// leaves no trace, as on some network file systems, is told of now and then anyway. It never says what changed: the
// reader compares.

import type { Cancel, Clock } from "./clock.ts";

export interface FileWatchInputs {
  readonly files: readonly string[];
  readonly clock: Clock;
  /** What stands behind a name: another word after each change. Never rejects. */
  readonly identify: (file: string) => Promise<string>;
  /** Something may have changed; also once at first, as it may have before. */
  readonly onMaybeChanged: () => void;
  /** Silence after which a change is over. */
  readonly quietMs?: number;
  /** It is told at least so often. */
  readonly pollMs?: number;
}

const LOOK_MS = 250;
const QUIET_MS = 200;
const POLL_MS = 30_000;

export class FileWatch {
  private seen: string | null = null;
  private untold = false;
  private toldAt: number;
  private cancelNext: Cancel = () => {};
  private looking: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(private readonly inputs: FileWatchInputs) {
    this.toldAt = inputs.clock.now();
  }

  start(): void {
    this.looking = this.look();
  }

  private async look(): Promise<void> {
    const { files, clock, identify, onMaybeChanged, quietMs = QUIET_MS, pollMs = POLL_MS } = this.inputs;
    const seen = (await Promise.all(files.map(identify))).join(" ");
    if (this.stopped) return;
    const quiet = seen === this.seen;
    this.seen = seen;
    this.cancelNext = clock.after(quiet ? LOOK_MS : quietMs, () => this.start());
    const isOver = quiet && this.untold;
    this.untold = !quiet;
    if (!isOver && clock.now() - this.toldAt < pollMs) return;
    this.toldAt = clock.now();
    onMaybeChanged();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelNext();
    await this.looking;
  }
}

/** Which file it is and when it was last written, links followed; empty where there is none. */
export async function identifyFile(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtime, ctime } = await Deno.stat(file);
    return [dev, ino, size, Number(mtime), Number(ctime)].join(":");
  } catch {
    return "";
  }
}
