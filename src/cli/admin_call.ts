// What a command asks a running Weir, and where its admin port is, found the way that Weir found it.
//
// `--admin-host`, `--admin-port` and `--config` win over the environment, and that over the configuration file.

import { parseArgs } from "@std/cli/parse-args";
import { bracketed } from "../config/endpoint_url.ts";
import { readConfigFile, readTextFileBounded } from "../config/file.ts";
import { renderFinding, renderFindings } from "../config/findings.ts";
import { loadConfig } from "../config/load.ts";
import type { Loaded, LoadInputs, Refused } from "../config/loading.ts";
import { valueAt } from "../config/path.ts";
import { withEmptyValues } from "../config/sources.ts";
import { parseConfigText } from "../config/yaml_tree.ts";
import { complain } from "./print.ts";

export interface AdminCall {
  readonly host: string;
  readonly port: number;
  /** What else was asked for: each flag's values, in order. */
  readonly flags: Readonly<Record<string, readonly string[]>>;
  readonly switches: ReadonlySet<string>;
}

/** The flags of a command, beside those of the address: with a value, and without. */
export interface Command {
  readonly name: string;
  readonly flags: readonly string[];
  readonly switches?: readonly string[];
}

const ADDRESS = ["admin-host", "admin-port", "config"] as const;

/** The call that a command line makes, or null after its problems were printed: exit 64. */
export async function readAdminCall(
  command: Command,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<AdminCall | null> {
  const names = [...command.flags, ...ADDRESS];
  const switches = [...command.switches ?? []];
  const unknown: string[] = [];
  const parsed: Record<string, unknown> = parseArgs(withEmptyValues(args, names), {
    string: names,
    collect: names,
    boolean: switches,
    unknown: (arg) => {
      unknown.push(JSON.stringify(arg));
      return false;
    },
  });
  // What stands after `--`.
  for (const word of parsed["_"] as (string | number)[]) unknown.push(JSON.stringify(String(word)));
  if (unknown.length > 0) {
    const known = [...names, ...switches].map((name) => `--${name}`).join(" ");
    complain(`unknown: ${unknown.join(" ")}; ${command.name} takes ${known}`);
    return null;
  }
  const flags = Object.fromEntries(names.map((name) => [name, parsed[name] as string[]]));
  const address = await adminAddress(flags, env);
  return address && { ...address, flags, switches: new Set(switches.filter((name) => parsed[name])) };
}

async function adminAddress(
  flags: Readonly<Record<string, readonly string[]>>,
  env: Readonly<Record<string, string>>,
): Promise<{ host: string; port: number } | null> {
  const argsOf = (names: readonly string[]) =>
    names.flatMap((name) => (flags[name] ?? []).map((value) => `--${name}=${value}`));
  const args = argsOf(ADDRESS);
  const whole = await loadConfig({ args, env, readTextFile: readTextFileBounded });
  // A file that has become invalid is no reason not to ask: Weir goes on with the one before, on the same port.
  const loaded = whole.ok ? whole : await firstLoaded([
    { args, env, readTextFile: readAdminAlone },
    {
      args: argsOf(["admin-host", "admin-port"]),
      env: { ...env, CONFIG: "" },
      readTextFile: readTextFileBounded,
    },
  ]);
  if (!loaded.ok) {
    complain(renderFindings(loaded.findings).trimEnd());
    return null;
  }
  const { host, port } = loaded.config.admin;
  const address = { host: host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host, port };
  // Where the file is mistyped another Weir may answer.
  if (!whole.ok) {
    complain(`${renderFinding(whole.findings[0]!)}; asks ${bracketed(address.host)}:${port} all the same`);
  }
  return address;
}

/** The first configuration that is right; else what is wrong with the last one. */
async function firstLoaded(inputs: readonly LoadInputs[]): Promise<Loaded | Refused> {
  let loaded: Loaded | Refused = { ok: false, findings: [] };
  for (const input of inputs) {
    loaded = await loadConfig(input);
    if (loaded.ok) break;
  }
  return loaded;
}

/** Of a configuration file what it says of the admin port, whatever else is in it; `listen` stays out of its way. */
async function readAdminAlone(path: string): Promise<string> {
  const text = await readConfigFile(path, readTextFileBounded);
  const admin = typeof text === "string" ? valueAt(parseConfigText(text, path).value, ["admin"]) : undefined;
  return JSON.stringify({ admin, listen: { port: 0 } });
}
