// Text out of a stream of bytes, of bounded size: the lines of a Kubernetes watch, the body of a list.
//
// Called by the conversation with the API server. A watch is one JSON event a line; a line may be split at
// any byte, also within a character; an unfinished last line is not given, as its sender broke off. A server
// gone wrong costs bounded memory: what is longer than its limit ends the reading.

export class LineTooLongError extends Error {
  constructor(bytesMax: number) {
    super(`the answer has a line longer than ${bytesMax} bytes`);
    this.name = "LineTooLongError";
  }
}

const NEWLINE = 0x0a;

/**
 * The complete, non-empty lines of `stream` without their line ends. The stream is cancelled when the
 * reading ends early.
 *
 * @throws {LineTooLongError} at more than `lineBytesMax` bytes without a line end.
 * @throws the reason of `signal`, as soon as it aborts.
 */
export async function* linesOf(
  stream: ReadableStream<Uint8Array>,
  lineBytesMax: number,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const held = new HeldBytes(lineBytesMax);
  for await (const chunk of chunksOf(stream, signal)) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      held.add(chunk.subarray(start, end));
      start = end + 1;
      const line = held.take().trimEnd();
      if (line !== "") yield line;
    }
    held.add(chunk.subarray(start));
  }
}

/**
 * All of `stream` as text.
 *
 * @throws {LineTooLongError} at more than `bytesMax` bytes.
 * @throws the reason of `signal`, as soon as it aborts.
 */
export async function textOf(
  stream: ReadableStream<Uint8Array>,
  bytesMax: number,
  signal: AbortSignal,
): Promise<string> {
  const held = new HeldBytes(bytesMax);
  for await (const chunk of chunksOf(stream, signal)) held.add(chunk);
  return held.take();
}

/**
 * What a body brings, until `signal` aborts. The signal that fetch() was given is not enough: Deno 2.9.6 forgets it
 * when the Response has been collected as garbage, and a read of the body then waits for ever.
 */
async function* chunksOf(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  // Ends a read that waits.
  const stop = () => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", stop);
  try {
    while (true) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

/** Bytes that wait for the rest of their text. */
class HeldBytes {
  private parts: Uint8Array[] = [];
  private bytes = 0;

  constructor(private readonly bytesMax: number) {}

  add(part: Uint8Array): void {
    if (part.length === 0) return;
    this.parts.push(part);
    this.bytes += part.length;
    if (this.bytes > this.bytesMax) throw new LineTooLongError(this.bytesMax);
  }

  take(): string {
    const whole = new Uint8Array(this.bytes);
    let at = 0;
    for (const part of this.parts) {
      whole.set(part, at);
      at += part.length;
    }
    this.parts = [];
    this.bytes = 0;
    return new TextDecoder().decode(whole);
  }
}
