// Flags and environment variables: which there are, and what an operator set with flags (`variables.ts`: with
// variables).
//
// One table is the whole truth: it reads both sources, makes `--help` and the table in the documentation.
// A value becomes a configuration key here and is validated like one from the file, by `shape.ts` and `values.ts`.

import { parseArgs } from "@std/cli/parse-args";
import { splitAddresses } from "./endpoint_url.ts";
import { type Finding, showValue } from "./findings.ts";
import { nearest } from "./nearest.ts";
import type { Path } from "./path.ts";

/** Where an effective value came from. */
export type Origin =
  | { readonly kind: "default" }
  /** `place` is `file:line:column`. */
  | { readonly kind: "file"; readonly place: string }
  | { readonly kind: "variable"; readonly name: string }
  /** `name` is without its dashes. */
  | { readonly kind: "flag"; readonly name: string }
  /** The caller's own upstream, because nobody named one. */
  | { readonly kind: "fallback" }
  /** The start: what the file says by now takes a restart. */
  | { readonly kind: "kept" };

export interface Setting {
  readonly variable: string;
  readonly flag: string;
  /** The key it sets; empty for the configuration file itself. */
  readonly path: Path;
  readonly read: (text: string) => unknown;
  /** Stands for the value in `--help`. */
  readonly placeholder: string;
  readonly meaning: string;
}

export interface SetValue {
  readonly setting: Setting;
  readonly value: unknown;
  readonly origin: Origin;
}

/** The name of the upstream that UPSTREAMS and --upstream make. */
export const DEFAULT_UPSTREAM = "default";

const text = (value: string) => value;
const number = (value: string) => /^[+-]?\d+(\.\d+)?$/.test(value) ? Number(value) : value;

/** Every flag and variable, in the order of the documentation. */
export const settings: readonly Setting[] = [
  {
    variable: "UPSTREAMS",
    flag: "upstream",
    path: ["upstreams", DEFAULT_UPSTREAM, "endpoints"],
    read: splitAddresses,
    placeholder: "ADDRESS",
    meaning: "endpoints of the upstream `default`; the flag may be repeated",
  },
  {
    variable: "CONFIG",
    flag: "config",
    path: [],
    read: text,
    placeholder: "FILE",
    meaning: "configuration file (YAML or JSON)",
  },
  {
    variable: "HOST",
    flag: "host",
    path: ["listen", "host"],
    read: text,
    placeholder: "ADDRESS",
    meaning: "address to listen on; `::` listens dual-stack",
  },
  {
    variable: "PORT",
    flag: "port",
    path: ["listen", "port"],
    read: number,
    placeholder: "PORT",
    meaning: "port for traffic",
  },
  {
    variable: "ADMIN_HOST",
    flag: "admin-host",
    path: ["admin", "host"],
    read: text,
    placeholder: "ADDRESS",
    meaning: "address of probes, metrics and dashboard",
  },
  {
    variable: "ADMIN_PORT",
    flag: "admin-port",
    path: ["admin", "port"],
    read: number,
    placeholder: "PORT",
    meaning: "port of probes, metrics and dashboard; read-only",
  },
  {
    variable: "TRUSTED_PROXIES",
    flag: "trusted-proxies",
    path: ["trustedProxies"],
    read: splitAddresses,
    placeholder: "CIDRS",
    meaning: "networks whose X-Forwarded-* and Forwarded are believed",
  },
  {
    variable: "WORKERS",
    flag: "workers",
    path: ["workers"],
    read: number,
    placeholder: "N",
    meaning: "event loops",
  },
  {
    variable: "LISTENER",
    flag: "listener",
    path: ["listen", "listener"],
    read: text,
    placeholder: "serve|wire",
    meaning: "Deno.serve, or Weir's own HTTP/1.1 server",
  },
  {
    variable: "BALANCE",
    flag: "balance",
    path: ["upstreams", DEFAULT_UPSTREAM, "balance", "policy"],
    read: text,
    placeholder: "POLICY",
    meaning: "policy of the upstream `default`",
  },
  {
    variable: "ACCESS_LOG",
    flag: "access-log",
    path: ["accessLog", "format"],
    read: text,
    placeholder: "json|combined|errors|off",
    meaning: "what is logged of requests",
  },
  {
    variable: "DRAIN_DELAY_MS",
    flag: "drain-delay-ms",
    path: ["drain", "delayMs"],
    read: number,
    placeholder: "MS",
    meaning: "after SIGTERM: not ready, but still serving",
  },
  {
    variable: "DRAIN_DEADLINE_MS",
    flag: "drain-deadline-ms",
    path: ["drain", "deadlineMs"],
    read: number,
    placeholder: "MS",
    meaning: "after the delay: time for requests in flight",
  },
];

/** What the flags set, and what on the command line is no flag of Weir. */
export function readFlags(args: readonly string[]): { values: SetValue[]; findings: Finding[] } {
  const names = settings.map((setting) => setting.flag);
  const findings: Finding[] = [];
  const unknown = new Set<string>();
  const parsed = parseArgs(withEmptyValues(args, names), {
    string: names,
    collect: names,
    unknown: (arg, key) => {
      if (key === undefined) findings.push(strayArgument(arg));
      else unknown.add(arg.startsWith("--") ? `--${key}` : arg);
      return false;
    },
  });
  for (const flag of unknown) findings.push(unknownFlag(flag, names));
  for (const rest of parsed._) findings.push(strayArgument(String(rest)));
  const values = settings.flatMap((setting) => {
    const given = (parsed[setting.flag] ?? []) as string[];
    const value = flagValue(setting, given.map((word) => word.trim()), findings);
    return value === undefined ? [] : [value];
  });
  return { values, findings };
}

/** `--port ""` as `--port=`: the parser takes an empty word for one that belongs to no flag. */
export function withEmptyValues(args: readonly string[], names: readonly string[]): string[] {
  const isEmptyValue = (i: number) =>
    args[i] === "" && args[i - 1]?.startsWith("--") === true && names.includes(args[i - 1]!.substring(2));
  return args.flatMap((arg, i) => isEmptyValue(i) ? [] : isEmptyValue(i + 1) ? [`${arg}=`] : [arg]);
}

function flagValue(setting: Setting, given: string[], findings: Finding[]): SetValue | undefined {
  if (given.length === 0) return undefined;
  const flag = setting.flag;
  const refuse = (state: string, accepted: string) => {
    findings.push({ subject: `--${flag}`, state, accepted, place: `flag --${flag}` });
    return undefined;
  };
  if (given.includes("")) return refuse("is empty", `must be --${flag} ${setting.placeholder}`);
  const origin: Origin = { kind: "flag", name: flag };
  if (flag === "upstream") return { setting, value: given.flatMap(splitAddresses), origin };
  if (given.length > 1) return refuse(`is given ${given.length} times`, "must be given once");
  return { setting, value: setting.read(given[0]!), origin };
}

function unknownFlag(flag: string, names: readonly string[]): Finding {
  const near = nearest(flag.replace(/^-+/, ""), names);
  const problem = near === undefined
    ? { accepted: "see --help for those there are" }
    : { nearest: `--${near}` };
  return { subject: flag.slice(0, 80), state: "is not a known flag", ...problem, place: "command line" };
}

function strayArgument(arg: string): Finding {
  const accepted = arg.includes("://")
    ? "must follow --upstream if it is an address"
    : /\.(ya?ml|json)$/.test(arg)
    ? "must follow --config if it is the configuration"
    : "must be removed, or follow the flag it belongs to";
  return {
    subject: `the argument ${showValue(arg)}`,
    state: "belongs to no flag",
    accepted,
    place: "command line",
  };
}

/** `variable PORT`, `flag --port`, `config.yaml:3:9`, `default`. */
export function renderOrigin(origin: Origin): string {
  switch (origin.kind) {
    case "default":
      return "default";
    case "file":
      return origin.place;
    case "variable":
      return `variable ${origin.name}`;
    case "flag":
      return `flag --${origin.name}`;
    case "fallback":
      return "sample origins";
    case "kept":
      return "the start; its change takes a restart";
  }
}
