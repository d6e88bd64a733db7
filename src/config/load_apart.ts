// Loading in a thread of its own, which ends with its answer: what validates a configuration is large, and a running
// Weir needs none of it until the next reload.

import { type Loaded, type LoadInputs, loadWith, type Refused } from "./loading.ts";
import type { Validated, ValidateInputs } from "./validate.ts";

/** As `loadConfig` does. */
export function loadConfigApart(inputs: LoadInputs): Promise<Loaded | Refused> {
  return loadWith(validateApart, inputs);
}

async function validateApart(inputs: ValidateInputs): Promise<Validated> {
  const worker = new Worker(new URL("./validate_worker.ts", import.meta.url), {
    type: "module",
    name: "weir-config",
    // The YAML parser asks for variables of its own; which it may see, the process decides.
    deno: {
      permissions: {
        net: false,
        read: false,
        write: false,
        env: "inherit",
        run: false,
        sys: false,
        ffi: false,
      },
    },
  } as WorkerOptions);
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<Validated>) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(`the configuration could not be judged: ${event.message}`));
      };
      worker.postMessage(inputs);
    });
  } finally {
    worker.terminate();
  }
}
