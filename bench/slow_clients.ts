// Clients that take all the time they can: a third each never ends its request's head, never ends its body, and
// hardly reads its answer of 300 KB. slowhttptest plays them.

import type { Launched, Processes } from "./processes.ts";

const KINDS = [
  { flags: ["-H"], path: "/1kb" },
  { flags: ["-B"], path: "/2b" },
  // A few bytes every two seconds, out of a small window.
  { flags: ["-X", "-w", "64", "-y", "512", "-n", "2", "-z", "32"], path: "/300kb" },
] as const;
/** All have connected after this: each kind comes at PER_SECOND. */
const GATHER_MS = 1500;
const PER_SECOND = 400;
/** Between two pieces of one client. */
const PAUSE_SECONDS = 2;
/** Longer than any turn. */
const STAY_SECONDS = 120;

export class SlowClients {
  private constructor(private readonly launched: readonly Launched[]) {}

  /** @param count 0 for nobody. */
  static async gather(
    processes: Processes,
    cores: string,
    count: number,
    port: number,
  ): Promise<SlowClients> {
    if (count === 0) return new SlowClients([]);
    const pace = ["-r", String(PER_SECOND), "-i", String(PAUSE_SECONDS), "-l", String(STAY_SECONDS)];
    const launched = KINDS.map(({ flags, path }) => {
      const each = ["-c", String(Math.ceil(count / KINDS.length)), "-u", `http://127.0.0.1:${port}${path}`];
      // Its own probe (-p) would only give up on a slow contestant.
      const command = ["slowhttptest", ...flags, ...each, ...pace, "-p", String(STAY_SECONDS)];
      return processes.launch(command, cores);
    });
    await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
    return new SlowClients(launched);
  }

  async leave(): Promise<void> {
    await Promise.all(this.launched.map((one) => one.stop()));
  }
}
