// From sources to a configuration, whichever thread validates it: reads the file, asks, and puts together what is answered.

import { readConfigFile, type ReadTextFile } from "./file.ts";
import type { Finding, PlaceOf } from "./findings.ts";
import { originsOf, placeFinder } from "./provenance.ts";
import type { Config } from "./schema.ts";
import { type Origin, readFlags, renderOrigin } from "./sources.ts";
import type { Validated, ValidateInputs } from "./validate.ts";
import { readVariables } from "./variables.ts";

export interface LoadInputs {
  /** The command line after the command. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly readTextFile: ReadTextFile;
  /** Endpoints of the upstream `default` when no source names any upstream. */
  readonly fallbackUpstreams?: readonly string[];
}

export interface Loaded {
  readonly ok: true;
  readonly config: Config;
  /** Where each value of `config` came from, by its path (`listen.port`, `routes[0].upstream`). */
  readonly origins: ReadonlyMap<string, Origin>;
  /** `config.yaml:12:17`, `variable PORT`, `flag --port` or `default`: for findings about this configuration. */
  readonly placeOf: PlaceOf;
  /** The configuration file as it was named, and its text. */
  readonly file?: string;
  readonly text?: string;
}

export interface Refused {
  readonly ok: false;
  readonly findings: readonly Finding[];
}

/** Resolves to a configuration that is whole and consistent, or to all findings. */
export async function loadWith(
  validate: (inputs: ValidateInputs) => Validated | Promise<Validated>,
  { args, env, readTextFile, fallbackUpstreams = [] }: LoadInputs,
): Promise<Loaded | Refused> {
  const file = await readFile(args, env, readTextFile);
  const validated = await validate({ args, env, fallbackUpstreams, file });
  if (!validated.ok) return validated;
  const { config, provenance } = validated;
  const origins = originsOf(provenance, config);
  const placeOf = placeFinder(provenance);
  const parts = typeof file?.read === "string" ? { file: file.name, text: file.read } : {};
  return { ok: true, config, origins, placeOf, ...parts };
}

async function readFile(
  args: LoadInputs["args"],
  env: LoadInputs["env"],
  readTextFile: ReadTextFile,
): Promise<ValidateInputs["file"]> {
  const values = [...readFlags(args).values, ...readVariables(env).values];
  const named = values.find(({ setting }) => setting.path.length === 0);
  if (named === undefined) return null;
  const name = String(named.value);
  return { name, namedBy: renderOrigin(named.origin), read: await readConfigFile(name, readTextFile) };
}
