// `weir run` with workers that can be broken: SIGUSR2 makes the first one loop for ever, SIGUSR1 lets it stand still
// once it has drained. In a process of its own, as nothing but the end of its process stops such a worker.

import { ENVIRONMENT } from "../../src/cli/environment.ts";
import { run } from "../../src/cli/run.ts";

const workerModule = new URL("./breakable_worker.ts", import.meta.url);
const faults = new BroadcastChannel("weir-test-faults");
Deno.addSignalListener("SIGUSR2", () => faults.postMessage({ index: 0, fault: "loops" }));
Deno.addSignalListener("SIGUSR1", () => faults.postMessage({ index: 0, fault: "stands once drained" }));

Deno.exit(
  await run({
    args: Deno.args.slice(1),
    env: Object.fromEntries(
      ENVIRONMENT.map((name) => [name, Deno.env.get(name)]).filter(([, value]) => value !== undefined),
    ),
    signals: {
      onStop: (callback) => {
        Deno.addSignalListener("SIGTERM", () => callback(false));
        Deno.addSignalListener("SIGINT", () => callback(true));
      },
      onReload: () => {},
    },
    sampleOrigins: false,
    workerModule,
    // Given up after four and a half seconds.
    supervision: { tickMs: 150, missedTicksMax: 30 },
  }),
);
