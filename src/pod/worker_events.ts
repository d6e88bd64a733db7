// What the pod makes of what happens to its workers: events for people, readiness, and the end when one hangs.

import type { SupervisorEvents } from "../control/supervisor.ts";
import type { Pod } from "./pod.ts";

export function workerEvents(pod: Pod): SupervisorEvents {
  const { events, writeLog, onFirstWord } = pod.inputs;
  let listened = false;
  const hear = (listening: boolean) => {
    if (!listened) onFirstWord?.(listening);
    listened ||= listening;
    pod.tellReady();
  };
  /** Why a worker does not accept connections, as it was told last: it tries again every two seconds at most. */
  const told = new Map<number, string>();
  const tell = (tone: "good" | "bad", text: string) => events.add("worker", tone, text);
  return {
    onListening: (index) => {
      pod.releasePort();
      hear(true);
      told.delete(index);
      tell("good", `worker ${index} serves`);
    },
    onNotListening: (index, reason) => {
      hear(false);
      if (told.get(index) === reason) return;
      told.set(index, reason);
      tell("bad", `worker ${index} does not accept connections: ${reason}`);
    },
    onDied: (index, reason, respawnMs) => {
      hear(false);
      told.delete(index);
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

const AFTER_HANG = {
  "exits": "this process leaves with exit code 1, to be restarted (whenWorkerHangs: exit)",
  "stays":
    "it is replaced, but its share of new connections hangs until this process is restarted (whenWorkerHangs: stay)",
  "leaves anyway": "it is not waited for, as this process leaves",
};

function hungWords(index: number, requests: number, then: keyof typeof AFTER_HANG): string {
  const what = `worker ${index} hangs, with ${requests} requests: its event loop does not turn any more`;
  return `${what}; ${AFTER_HANG[then]}`;
}
