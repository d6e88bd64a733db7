// Weir's own worker, with a flaw: a test can make it throw, or end without a word.
//
// It hears of faults on a channel named as its own address, which each pod makes its own by a query: tests that
// run beside each other share one process, and its channels.

import type { ToWorker } from "../../src/messages.ts";
import "../../src/worker.ts";

let index = -1;

addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === "start") index = data.index;
});

new BroadcastChannel(import.meta.url).onmessage = ({ data }) => {
  if (data.index !== index) return;
  switch (data.fault) {
    case "throws":
      throw new Error("broken on purpose");
    case "closes itself":
      return close();
  }
};
