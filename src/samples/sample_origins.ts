// Small origins to balance over when nothing is configured, so that a first `start` shows something at once.
//
// They live in one worker of their own: they cost Weir's event loops nothing, may do nothing but listen on
// loopback, and are reached over real sockets like any other origin. Called by `cli/run.ts` only.

/** Trees that stand along a river, one for each origin. */
const NAMES = ["alder", "birch", "cedar", "dogwood", "elder", "fir"] as const;

export const sampleOriginsMax = NAMES.length;

export interface SampleOrigins {
  /** `http://127.0.0.1:port`, one for each origin, in the order of their names. */
  readonly urls: readonly string[];
  /** Cuts what is in flight and frees the ports. */
  close(): void;
}

/** What the worker answers to its names: where each one listens. */
export type SamplesListening = { readonly ports: readonly number[] };

/**
 * Starts `count` origins on free loopback ports.
 * @throws RangeError when `count` is not 1 to `sampleOriginsMax`; the worker's error when it cannot listen.
 */
export async function startSampleOrigins(count = 3): Promise<SampleOrigins> {
  if (!Number.isInteger(count) || count < 1 || count > sampleOriginsMax) {
    throw new RangeError(`sample origins: ${count} asked for, there are 1 to ${sampleOriginsMax}`);
  }
  const worker = new Worker(new URL("./sample_worker.ts", import.meta.url), {
    type: "module",
    name: "sample origins",
    deno: { permissions: { net: ["127.0.0.1"] } },
  });
  const { ports } = await listening(worker, NAMES.slice(0, count));
  return {
    urls: ports.map((port) => `http://127.0.0.1:${port}`),
    close: () => worker.terminate(),
  };
}

function listening(worker: Worker, names: readonly string[]): Promise<SamplesListening> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => data === "loaded" ? worker.postMessage(names) : resolve(data);
    worker.onerror = (event) => {
      // Without this an error in the worker ends the whole process.
      event.preventDefault();
      reject(new Error(`sample origins: ${event.message}`));
    };
  });
}
