// A container of Kubernetes manifests: what it is started with, what is asked of it, and what it can read.
//
// Pure, as `manifest_pods.ts`, which finds Weir's; any part may be missing or odd.

import { isMap, valueAt } from "./path.ts";

/** The parts that lint rules look at. */
export interface Container {
  readonly name?: string | null;
  readonly restartPolicy?: unknown;
  readonly image?: string | null;
  /** In place of the image's entry point: another program of the same image. */
  readonly command?: readonly string[] | null;
  readonly args?: unknown;
  readonly env?: unknown;
  readonly envFrom?: unknown;
  readonly ports?: unknown;
  readonly volumeMounts?: unknown;
  readonly startupProbe?: unknown;
  readonly readinessProbe?: unknown;
  readonly livenessProbe?: unknown;
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds?: unknown } } } | null;
}

export function portsOf({ ports }: Container): number[] {
  return listOf(ports).map(({ containerPort }) => Number(containerPort)).filter(Number.isInteger);
}

/**
 * Whether the kubelet asks one of its probes, which it does at the pod's address unless another one is written, and at
 * no other port than this one.
 */
export function isProbedAt(port: number, container: Container): boolean {
  const { startupProbe, readinessProbe, livenessProbe, ports } = container;
  return [startupProbe, readinessProbe, livenessProbe].some((probe) => {
    const asked = [valueAt(probe, ["httpGet"]), valueAt(probe, ["tcpSocket"])].filter(isMap);
    return asked.some(({ host, port: asksAt }) => {
      const number = portNamed({ ports }, asksAt);
      return host === undefined && (number === port || Number.isNaN(number));
    });
  });
}

/** The number of a port that a probe names or numbers; NaN when no port has that name. */
function portNamed({ ports }: Container, asked: unknown): number {
  return Number(listOf(ports).find(({ name }) => name === asked)?.["containerPort"] ?? asked);
}

/** Whether one of these variables and flags is given; an empty variable is none, and of several the last counts. */
export function sets(container: Container, names: readonly string[]): boolean {
  const variables = new Map(
    listOf(container.env).map((one) => [one["name"], one["valueFrom"] ?? one["value"]]),
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
    .map(({ value }) => value);
  const text = flags.at(-1) ?? variables.at(-1);
  return text === undefined || text === null ? undefined : String(text);
}

/** The same as a number; undefined where it is none. */
export function numberSetBy(
  containers: readonly Container[],
  flag: string,
  variable: string,
): number | undefined {
  const text = textSetBy(containers, flag, variable) ?? "";
  return /^ *\d+ *$/.test(text) ? Number(text) : undefined;
}

/** What one of Weir's two ports is asked for by the livenessProbe. */
export interface LivenessAsk {
  readonly at: "admin" | "traffic";
  readonly path: string;
}

/** By the kubelet itself, or by `weir probe` in the container. */
export function livenessPaths(
  container: Container,
  ports: Readonly<Record<LivenessAsk["at"], number>>,
): LivenessAsk[] {
  const { livenessProbe } = container;
  const command = valueAt(livenessProbe, ["exec", "command"]);
  const words = wordsOf({ command: Array.isArray(command) ? command : [] });
  if (words.includes("probe")) {
    return [{ at: "admin", path: textSetBy([{ args: words }], "--path", "") ?? "/readyz" }];
  }
  const asked = valueAt(livenessProbe, ["httpGet"]);
  if (!isMap(asked)) return [];
  const number = portNamed(container, asked["port"]);
  const path = String(asked["path"] ?? "/").split("?")[0]!;
  return (["admin", "traffic"] as const).filter((at) => ports[at] === number).map((at) => ({ at, path }));
}

/** What of a volume is a copy that the kubelet renews; a mount of a part of it is not (`subPath`). */
const RENEWED = { configMap: "ConfigMap", secret: "Secret", projected: "projected volume" };

/** The kind of volume whose part a container has as this file, or as a folder that it is in; null when it has all. */
export function frozenBy(file: string, { volumeMounts }: Container, volumes: unknown): string | null {
  const above = listOf(volumeMounts).map((mount) => ({ mount, at: folder(mount["mountPath"]) }))
    .filter(({ at }) => file === at || file.startsWith(`${at}/`));
  // The innermost one counts, and of several there the last: a patch.
  const { mount } = above.toSorted((a, b) => a.at.length - b.at.length).at(-1) ?? {};
  if ((mount?.["subPath"] ?? mount?.["subPathExpr"] ?? "") === "") return null;
  const volume = listOf(volumes).findLast(({ name }) => name === mount?.["name"]);
  return Object.entries(RENEWED).find(([key]) => isMap(volume?.[key]))?.[1] ?? null;
}

function folder(mountPath: unknown): string {
  return String(mountPath ?? "").replace(/\/+$/, "");
}

/** What it is started with, as far as the manifest says it. */
export function wordsOf({ command, args }: Pick<Container, "command" | "args">): string[] {
  return [command, args].flatMap((list) => Array.isArray(list) ? list : []).map(String);
}

/** The maps of a list; none when it is no list. */
export function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isMap) : [];
}
