// What is read from files that the configuration names, at start and at each reload.

import { whyUnreadable } from "../config/file.ts";
import type { Config } from "../config/schema.ts";

export interface PodFiles {
  /** Signs sticky cookies; empty when nothing is sticky. */
  readonly stickyKey: string;
}

/** @throws with the file and what is wrong with it */
export async function readPodFiles(
  { stickyKeyFile }: Pick<Config, "stickyKeyFile">,
  inputs: { readonly stickyKey: string; readonly readTextFile: (path: string) => Promise<string> },
): Promise<PodFiles> {
  if (stickyKeyFile === undefined) return { stickyKey: inputs.stickyKey };
  const refused = (why: string) => new Error(`stickyKeyFile is ${stickyKeyFile}, which ${why}`);
  const text = await inputs.readTextFile(stickyKeyFile).catch((error) => {
    throw refused(`cannot be read: ${whyUnreadable(error)}`);
  });
  const stickyKey = text.trim();
  if (stickyKey === "") throw refused("is empty: it must hold the key that signs sticky cookies");
  return { stickyKey };
}
