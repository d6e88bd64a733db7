// A container of Kubernetes manifests: what it is started with, and on which ports it says that it listens.
//
// Pure, as `manifest_pods.ts`, which finds Weir's; any part may be missing or odd. What it is asked stands in
// `manifest_probe.ts`, what it can read in `manifest_mounts.ts`.

import { commandWords, isPlaceholder, listOf, numberOf, textOf, textsOf } from "./manifest_value.ts";

/** The parts that lint rules look at. */
export interface Container {
  readonly name?: unknown;
  readonly restartPolicy?: unknown;
  readonly image?: unknown;
  /** In place of the image's entry point. */
  readonly command?: unknown;
  readonly args?: unknown;
  readonly env?: unknown;
  readonly envFrom?: unknown;
  readonly ports?: unknown;
  readonly volumeMounts?: unknown;
  readonly workingDir?: unknown;
  readonly startupProbe?: unknown;
  readonly readinessProbe?: unknown;
  readonly livenessProbe?: unknown;
  readonly lifecycle?: unknown;
}

/** Those that are known; NaN stands for one that something else fills in. */
export function portsOf({ ports }: Container): number[] {
  return listOf(ports).flatMap(({ containerPort }) =>
    isPlaceholder(containerPort) ? [NaN] : numberOf(containerPort) ?? []
  );
}

/** Whether one of these variables and flags is given; an empty variable is none, and of several the last counts. */
export function sets(container: Container, names: readonly string[]): boolean {
  const variables = new Map(
    listOf(container.env).map((one) => [textOf(one["name"]), one["valueFrom"] ?? one["value"]]),
  );
  const given = [
    ...[...variables].filter(([_name, value]) => (value ?? "") !== "").map(([name]) => name),
    ...wordsOf(container).map((word) => word.split("=")[0]),
  ];
  return names.some((name) => given.includes(name));
}

/** The same; any variable may be where all of another object are. */
export function maySet(container: Container, names: readonly string[]): boolean {
  return sets(container, names) || names.length > 0 && listOf(container.envFrom).length > 0;
}

/** What the last such flag says, or the last such variable; undefined where that stands in another object, or nowhere. */
export function textSetBy(
  containers: readonly Container[],
  flag: string,
  variable: string,
): string | undefined {
  const words = containers.flatMap(wordsOf);
  const flags = words.flatMap((word, i) =>
    word === flag ? [words[i + 1]] : word.startsWith(`${flag}=`) ? [word.substring(flag.length + 1)] : []
  );
  const variables = containers.flatMap(({ env }) => listOf(env)).filter(({ name }) => name === variable)
    .map(({ value, valueFrom }) => valueFrom == null ? textOf(value) : "");
  const text = flags.at(-1) ?? variables.at(-1) ?? "";
  return text === "" ? undefined : text;
}

/** The same as a number; undefined where it is none. */
export function numberSetBy(
  containers: readonly Container[],
  flag: string,
  variable: string,
): number | undefined {
  return numberOf(textSetBy(containers, flag, variable));
}

/** What starts Weir in a command: `deno run ... src/main.ts`, `deno task weir`, `/usr/local/bin/weir`. */
const PROGRAM = /(^|\/)(main\.ts|weir)$/;

/** Whether it has a command, in place of the image's entry point, that starts something else than Weir. */
export function isAnotherProgram({ command }: Container): boolean {
  const words = commandWords(command);
  return words.length > 0 && !words.some((word) => PROGRAM.test(word));
}

/** What Weir, or else its program, is started with, as far as the manifest says it. */
export function wordsOf({ command, args }: Pick<Container, "command" | "args">): string[] {
  const words = commandWords(command);
  return [...words.slice(words.findIndex((word) => PROGRAM.test(word)) + 1), ...textsOf(args)];
}
