// Weir's own worker, with a flaw: a test can make it throw, or end without a word.

import type { ToWorker } from "../../src/messages.ts";
import "../../src/worker.ts";

let index = -1;

addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === "start") index = data.index;
});

new BroadcastChannel("weir-test-faults").onmessage = ({ data }) => {
  if (data.index !== index) return;
  switch (data.fault) {
    case "throws":
      throw new Error("broken on purpose");
    case "closes itself":
      return close();
  }
};
