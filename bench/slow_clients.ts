// Clients that never end their request's head: slowhttptest sends each a line every few seconds.

import type { Launched, Processes } from "./processes.ts";

/** All have connected after this: they come at PER_SECOND. */
const GATHER_MS = 1500;
const PER_SECOND = 1000;
/** Between two lines of one client. */
const PAUSE_SECONDS = 2;
/** Longer than any turn. */
const STAY_SECONDS = 120;

export class SlowClients {
  private constructor(private readonly launched: Launched | null) {}

  /** @param count 0 for nobody. */
  static async gather(
    processes: Processes,
    cores: string,
    count: number,
    port: number,
  ): Promise<SlowClients> {
    if (count === 0) return new SlowClients(null);
    const pace = ["-r", String(PER_SECOND), "-i", String(PAUSE_SECONDS), "-l", String(STAY_SECONDS)];
    // Its own probe would only give up on a slow contestant.
    const command = ["slowhttptest", "-H", "-c", String(count), ...pace, "-p", String(STAY_SECONDS)];
    const launched = processes.launch([...command, "-u", `http://127.0.0.1:${port}/1kb`], cores);
    await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
    return new SlowClients(launched);
  }

  async leave(): Promise<void> {
    await this.launched?.stop();
  }
}
