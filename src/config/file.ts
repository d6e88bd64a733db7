// The configuration file: reading it within a bound, and saying clearly why it could not be read.

import type { Problem } from "./findings.ts";

/** Reads a whole file as text. Rejects like `Deno.readTextFile`. */
export type ReadTextFile = (path: string) => Promise<string>;

/** Largest configuration file. A ConfigMap cannot be larger than this either. */
export const fileBytesMax = 1_048_576;

/** What `deno task start`, `deno task weir` and the image allow Weir to read. */
const readablePaths = [".", "/etc/weir"];

const tooLarge: Problem = { state: "is larger than 1 MiB", accepted: "must hold at most 1048576 bytes" };

/** The text, or the one reason why there is none. Never throws. */
export async function readConfigFile(file: string, readTextFile: ReadTextFile): Promise<string | Problem> {
  try {
    const text = await readTextFile(file);
    if (text.length > fileBytesMax || new TextEncoder().encode(text).length > fileBytesMax) return tooLarge;
    return text.includes("\uFFFD") ? { state: "is not UTF-8 text" } : text;
  } catch (error) {
    return unreadable(error);
  }
}

/**
 * A file's text, at most one byte more than `fileBytesMax`: what `loadConfig` is given to read with, so that
 * a huge or endless file costs no memory.
 *
 * @throws what `Deno.open` and `Deno.FsFile.read` throw.
 */
export async function readTextFileBounded(path: string): Promise<string> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(fileBytesMax + 1);
  let length = 0;
  while (length < bytes.length) {
    const read = await file.read(bytes.subarray(length));
    if (read === null) break;
    length += read;
  }
  return new TextDecoder().decode(bytes.subarray(0, length));
}

function unreadable(error: unknown): Problem {
  const name = error instanceof Error ? error.name : "";
  switch (name) {
    case "NotFound":
      return { state: "cannot be read: there is no such file" };
    case "PermissionDenied":
      return { state: "cannot be read: the system denies it to this user", accepted: "must be readable" };
    case "NotCapable":
      return {
        state: "cannot be read: this run has no --allow-read for it",
        accepted: `must lie in ${readablePaths.map((path) => JSON.stringify(path)).join(" or ")}, ` +
          `which the tasks allow (--allow-read=${readablePaths.join(",")})`,
      };
    case "IsADirectory":
      return { state: "cannot be read: it is a directory", accepted: "must be a YAML or JSON file" };
    default: {
      const reason = error instanceof Error ? error.message.split("\n")[0] : "unknown reason";
      return { state: `cannot be read: ${reason}` };
    }
  }
}
