// Kubernetes objects from a file or a folder of YAML files, for `weir check --manifest`.
//
// What cannot be read or holds nothing is a finding, not a pass: a check in CI must not succeed for want of
// anything to look at.

import { type Document, parseAllDocuments } from "yaml";
import { readConfigFile, readTextFileBounded } from "../config/file.ts";
import type { Finding, Problem } from "../config/findings.ts";
import { messageOf } from "../error_message.ts";

const PLACE = "flag --manifest";
const NAME = /\.(ya?ml|json)$/;

/** Every object in `path`, or why there is none. Folders within a folder are not looked into. */
export async function readManifests(path: string): Promise<unknown[] | Finding> {
  if (path === "") return finding("--manifest", { state: "is empty", accepted: "must be --manifest PATH" });
  const isFolder = await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
  const files = isFolder ? await manifestsIn(path) : [path];
  const objects: unknown[] = [];
  for (const file of files) {
    const text = await readConfigFile(file, readTextFileBounded);
    if (typeof text !== "string") return finding(file, text);
    const documents: Document[] = [...parseAllDocuments(text, { merge: true })];
    try {
      for (const document of documents) objects.push(valueOf(document));
    } catch (error) {
      return finding(file, { state: `is not YAML: ${messageOf(error).split("\n")[0]}` });
    }
  }
  const written = objects.filter((object) => object !== null);
  if (written.length > 0) return written;
  return finding(path, { state: "holds no objects", accepted: "must be YAML files of Kubernetes objects" });
}

/** @throws what is wrong with it: its syntax, or an alias that stands for nothing, for too much or for itself */
function valueOf(document: Document): unknown {
  const [error] = document.errors;
  if (error !== undefined) throw error;
  const value: unknown = document.toJS();
  refuseCircles(value, new Set());
  return value;
}

/** @throws when something stands in itself, so that going through it has no end */
function refuseCircles(value: unknown, above: Set<unknown>): void {
  if (typeof value !== "object" || value === null) return;
  if (above.has(value)) throw new Error("an alias stands for what it is in");
  above.add(value);
  for (const part of Object.values(value)) refuseCircles(part, above);
  above.delete(value);
}

async function manifestsIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isFile, isSymlink } of Deno.readDir(folder)) {
    if ((isFile || isSymlink) && NAME.test(name)) names.push(name);
  }
  return names.sort().map((name) => `${folder.replace(/\/$/, "")}/${name}`);
}

function finding(subject: string, problem: Problem): Finding {
  return { ...problem, subject, place: PLACE };
}
