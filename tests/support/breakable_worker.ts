// Weir's own worker, with a flaw: a test can make it throw, end without a word, loop for ever, or find no core to run on
// once it has said that it has drained.

import { Board } from "../../src/board/layout.ts";
import type { FromWorker, ToWorker } from "../../src/messages.ts";

/** A cell of the pod that nobody uses: a loop that may end ends when it is not 0 any more. */
const END_OF_LOOP = 15;

/** The worker's place among its siblings: its thread is named `weir-0`, ... */
const index = Number((self as unknown as { readonly name: string }).name.slice("weir-".length));
let board: Board;

addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind !== "start") return;
  board = Board.open(data.board);
  // Test files share a process: each pod has a channel of its own, and a process of its own has the plain one.
  for (const name of ["weir-test-faults", `weir-test-faults-${data.instance}`]) {
    new BroadcastChannel(name).onmessage = ({ data }) => suffer(data);
  }
});

// After the listener above, so that it hears `start` first: a worker that serves can be broken.
await import("../../src/worker.ts");

function suffer(wanted: { readonly index: number; readonly fault: string }): void {
  if (wanted.index !== index) return;
  switch (wanted.fault) {
    case "throws":
      throw new Error("broken on purpose");
    case "closes itself":
      return close();
    case "loops until told":
      while (Atomics.load(board.int32, board.layout.podCell(END_OF_LOOP)) === 0);
      return;
    case "stands once drained": {
      const { postMessage } = self;
      self.postMessage = (message: FromWorker) => {
        postMessage.call(self, message);
        // Its thread is ended in here.
        if (message.kind === "drained") { for (;;); }
      };
      return;
    }
    case "loops":
      for (;;);
  }
}
