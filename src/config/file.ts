// The configuration file: reading it within a bound, and saying clearly why it could not be read.

import type { Problem } from "./findings.ts";

/** Reads a whole file as text. Rejects like `Deno.readTextFile`. */
export type ReadTextFile = (path: string) => Promise<string>;

/** Largest configuration file. A ConfigMap cannot be larger than this either. */
export const FILE_BYTES_MAX = 1_048_576;

const TOO_LARGE: Problem = { state: "is larger than 1 MiB", accepted: "must hold at most 1048576 bytes" };

/** The text, or the one reason why there is none. Never throws. */
export async function readConfigFile(file: string, readTextFile: ReadTextFile): Promise<string | Problem> {
  try {
    const text = await readTextFile(file);
    if (isTooLarge(text)) return TOO_LARGE;
    return text.includes("\uFFFD") ? { state: "is not UTF-8 text" } : text;
  } catch (error) {
    return unreadable(error);
  }
}

/** Whether it is longer than a file may be, so that what stands behind was not read. */
export function isTooLarge(text: string): boolean {
  return text.length > FILE_BYTES_MAX || new TextEncoder().encode(text).length > FILE_BYTES_MAX;
}

/**
 * A file's text, at most one byte more than `FILE_BYTES_MAX`: what `loadConfig` is given to read with, so that
 * a huge or endless file costs no memory.
 *
 * @throws what `Deno.open` and `Deno.FsFile.read` throw.
 */
export async function readTextFileBounded(path: string): Promise<string> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(FILE_BYTES_MAX + 1);
  let length = 0;
  while (length < bytes.length) {
    const read = await file.read(bytes.subarray(length));
    if (read === null) break;
    length += read;
  }
  // A byte order mark is no text, but counts where it is what makes a file too long.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: length > FILE_BYTES_MAX });
  return decoder.decode(bytes.subarray(0, length));
}

/** A file that is to be read again is a FIFO. */
export class FifoError extends Error {
  override readonly name = "FifoError";
  constructor() {
    super("it is a FIFO, must be a file");
  }
}

/**
 * As `readTextFileBounded`, of a file that is read now and again. Whoever opens a FIFO waits until another one writes
 * to it, and keeps a thread of the process for that; one that was read has nothing more to say.
 * @throws FifoError
 */
export async function rereadTextFile(path: string): Promise<string> {
  if (await isFifo(path)) throw new FifoError();
  return await readTextFileBounded(path);
}

/** Whether a FIFO stands there now. Never rejects. */
export async function isFifo(path: string): Promise<boolean> {
  return await Deno.stat(path).then((file) => file.isFifo === true, () => false);
}

function unreadable(error: unknown): Problem {
  const { why, accepted } = reasonOf(error);
  return { state: `cannot be read: ${why}`, ...(accepted === undefined ? {} : { accepted }) };
}

/** Why a file cannot be read and what would be right, in words that follow `cannot be read: `. */
export function whyUnreadable(error: unknown): string {
  const { why, accepted } = reasonOf(error);
  return accepted === undefined ? why : `${why}, ${accepted}`;
}

function reasonOf(error: unknown): { readonly why: string; readonly accepted?: string } {
  switch (error instanceof Error ? error.name : "") {
    case "NotFound":
      return { why: "there is no such file" };
    case "PermissionDenied":
      return { why: "the system denies it to this user", accepted: "must be readable" };
    case "NotCapable":
      return {
        why: "it lies outside of what this process may read",
        accepted: "must lie in the working directory or in /etc/weir, which the tasks and the image allow, " +
          "or be linked from there (ln -s); or run src/main.ts with a further --allow-read=FOLDER",
      };
    case "IsADirectory":
      return { why: "it is a directory", accepted: "must be a file" };
    default:
      return { why: error instanceof Error ? error.message.split("\n")[0]! : "unknown reason" };
  }
}
