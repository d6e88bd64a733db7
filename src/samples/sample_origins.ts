// Small origins to balance over when nothing is configured, so that a first `start` shows something at once.
//
// They live in one worker of their own: they cost Weir's event loops nothing, may do nothing but listen on
// loopback, and are reached over real sockets like any other origin. Called by `cli/run.ts` only.

export interface SampleOrigins {
  /** `http://127.0.0.1:port`, one for each origin, in the order of their names. */
  readonly urls: readonly string[];
  /** Cuts what is in flight and frees the ports. */
  close(): void;
}

/** Starts them on free loopback ports. @throws the worker's error when it cannot listen */
export async function startSampleOrigins(): Promise<SampleOrigins> {
  const worker = new Worker(new URL("./sample_worker.ts", import.meta.url), {
    type: "module",
    name: "sample origins",
    deno: { permissions: { net: ["127.0.0.1"] } },
  });
  const ports = await listening(worker);
  return {
    urls: ports.map((port) => `http://127.0.0.1:${port}`),
    close: () => worker.terminate(),
  };
}

function listening(worker: Worker): Promise<readonly number[]> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data: ports }) => resolve(ports);
    worker.onerror = (event) => {
      // Without this an error in the worker ends the whole process.
      event.preventDefault();
      reject(new Error(`sample origins: ${event.message}`));
    };
  });
}
