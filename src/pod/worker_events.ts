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
  const tell = (tone: "good" | "bad", text: string) => events.add("worker", tone, text);
  return {
    onListening: (index) => {
      pod.releasePort();
      hear(true);
      tell("good", `worker ${index} serves`);
    },
    onNotListening: (index, reason) => {
      hear(false);
      tell("bad", `worker ${index} does not accept connections: ${reason}`);
    },
    onDied: (index, reason, respawnMs) => {
      hear(false);
      const then = respawnMs === null
        ? "not replaced, as this process leaves"
        : `respawned in ${respawnMs} ms`;
      tell("bad", `worker ${index} ${reason}; ${then}`);
    },
    onHung: (index, requests) => {
      hear(false);
      tell("bad", hungWords(index, requests, pod.config.whenWorkerHangs));
      if (pod.config.whenWorkerHangs === "exit") {
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

function hungWords(index: number, requests: number, then: "exit" | "stay"): string {
  const what = `worker ${index} hangs, with ${requests} requests: its event loop does not turn any more`;
  return then === "exit"
    ? `${what}; this process leaves with exit code 1, to be restarted (whenWorkerHangs: exit)`
    : `${what}; it is replaced, but its share of new connections hangs until this process is restarted (whenWorkerHangs: stay)`;
}
