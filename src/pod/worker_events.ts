// What the pod makes of what happens to its workers: events for people, readiness, and the end when one hangs.

import { plural } from "../config/findings.ts";
import type { Cancel, Clock } from "../control/clock.ts";
import type { SupervisorEvents } from "../control/supervisor.ts";
import type { Pod } from "./pod.ts";

/** How long a worker must listen, after it did not, until it is said to serve: out of descriptors it does by turns. */
const STANDS_MS = 1_000;

export function workerEvents(pod: Pod): SupervisorEvents {
  const { clock, events, writeLog, onFirstWord } = pod.inputs;
  let listened = false;
  const hear = (listening: boolean) => {
    if (!listened) onFirstWord?.(listening);
    listened ||= listening;
    pod.tellReady();
  };
  const tell = (tone: "good" | "bad", text: string) => events.add("worker", tone, text);
  const accepting = new Accepting(clock, tell);
  return {
    onListening: (index) => {
      pod.releasePort();
      hear(true);
      accepting.begins(index);
    },
    onNotListening: (index, reason) => {
      hear(false);
      accepting.breaksOff(index, reason);
    },
    onDied: (index, reason, respawnMs) => {
      hear(false);
      accepting.forget(index);
      const then = respawnMs === null
        ? "not replaced, as this process leaves"
        : `respawned in ${respawnMs} ms`;
      tell("bad", `worker ${index} ${reason}; ${then}`);
    },
    onHung: (index, requests, replaced) => {
      hear(false);
      const then = replaced ? "stays" : pod.draining === null ? "exits" : "leaves anyway";
      tell("bad", hungWords(index, requests, then));
      if (then === "exits") {
        pod.readiness.leave();
        pod.fail(`worker ${index} hangs`);
      }
      pod.tellReady();
    },
    onHungThreadEnded: (index) => {
      pod.tellReady();
      tell("good", `the thread of worker ${index} that hung has ended after all`);
    },
    onFailed: (index, reason) => tell("bad", `worker ${index}: ${reason}`),
    onLog: writeLog,
    onApplied: () => pod.tellReady(),
    onCertificateApplied: () => pod.certificate?.tellProgress(),
  };
}

/** Tells whether workers accept connections: each reason once, until they have done so for a while. */
class Accepting {
  private readonly reasons = new Map<number, string>();
  private readonly standing = new Map<number, Cancel>();

  constructor(
    private readonly clock: Pick<Clock, "after">,
    private readonly tell: (tone: "good" | "bad", text: string) => void,
  ) {}

  begins(index: number): void {
    if (!this.reasons.has(index)) return this.tell("good", `worker ${index} serves`);
    this.standing.get(index)?.();
    this.standing.set(
      index,
      this.clock.after(STANDS_MS, () => {
        this.forget(index);
        this.begins(index);
      }),
    );
  }

  breaksOff(index: number, reason: string): void {
    const known = this.reasons.get(index);
    this.forget(index);
    this.reasons.set(index, reason);
    if (reason !== known) this.tell("bad", `worker ${index} does not accept connections: ${reason}`);
  }

  forget(index: number): void {
    this.standing.get(index)?.();
    this.standing.delete(index);
    this.reasons.delete(index);
  }
}

const AFTER_HANG = {
  "exits": "this process leaves with exit code 1, to be restarted (whenWorkerHangs: exit)",
  "stays":
    "it is replaced, but its share of new connections hangs until this process is restarted (whenWorkerHangs: stay)",
  "leaves anyway": "it is not waited for, as this process leaves",
};

function hungWords(index: number, requests: number, then: keyof typeof AFTER_HANG): string {
  const what = `worker ${index} hangs, with ${
    plural(requests, "request")
  }: its event loop does not turn any more`;
  return `${what}; ${AFTER_HANG[then]}`;
}
