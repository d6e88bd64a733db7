// Loading a configuration from texts instead of a disk.

import { assert } from "@std/assert";
import { renderFinding } from "../../src/config/findings.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Loaded } from "../../src/config/loading.ts";

export interface Sources {
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
  /** Text of `config.yaml`, which is then named by CONFIG. */
  readonly file?: string;
  readonly fallbackUpstreams?: readonly string[];
}

export function load({ args = [], env = {}, file, ...rest }: Sources) {
  const config = file === undefined ? {} : { CONFIG: "config.yaml" };
  return loadConfig({ args, env: { ...config, ...env }, readTextFile: async () => file ?? "", ...rest });
}

/** The configuration of sources that are right. */
export async function loaded(sources: Sources): Promise<Loaded> {
  const result = await load(sources);
  assert(result.ok, result.ok ? "" : result.findings.map(renderFinding).join("\n"));
  return result;
}

/** The findings of sources that are wrong, rendered. */
export async function refusals(sources: Sources): Promise<string[]> {
  const result = await load(sources);
  return result.ok ? [] : result.findings.map(renderFinding);
}
