// What the probes of a container in Kubernetes manifests ask of Weir, and how long they are patient.
//
// Pure, as `manifest_pods.ts`; any part may be missing or odd.

import { isMap, valueAt } from "../config/path.ts";
import type { Config } from "../config/schema.ts";
import { type Container, numberSetBy } from "./manifest_container.ts";
import { commandWords, listOf, numberOf, textOf } from "./manifest_value.ts";

export const PROBES = ["startupProbe", "readinessProbe", "livenessProbe"] as const;
export type ProbeName = typeof PROBES[number];

/** What a probe asks one of Weir's two ports for. */
export interface Ask {
  readonly at: "admin" | "traffic";
  /** Path and query; null where a connection is all that is wanted. */
  readonly target: string | null;
  readonly scheme: "http" | "https";
  /** Names in lower case and values, as the probe sends them. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** By the kubelet itself, or by `weir probe` in the container; null where that cannot be told. */
export function askOf(probe: ProbeName, container: Container, config: Config): Ask | null {
  const asked = container[probe];
  const command = valueAt(asked, ["exec", "command"]);
  if (command != null) return askOfCommand(commandWords(command), container, config);
  const [get, connect] = ["httpGet", "tcpSocket"].map((key) => valueAt(asked, [key]));
  if (isMap(get)) {
    const at = whoseAt(get, container, config);
    const path = textOf(get["path"]);
    const headers = listOf(get["httpHeaders"]).map(({ name, value }) =>
      [textOf(name).toLowerCase(), textOf(value)] as const
    );
    const scheme = /^https$/i.test(textOf(get["scheme"])) ? "https" : "http";
    return at && { at, target: path.startsWith("/") ? path : `/${path}`, scheme, headers };
  }
  const at = isMap(connect) ? whoseAt(connect, container, config) : null;
  return at && { at, target: null, scheme: "http", headers: [] };
}

/** Weir's ports in this container, as its flags and variables say, then as the configuration does. */
function portsIn(container: Container, { listen, admin }: Config): Record<Ask["at"], number> {
  return {
    admin: numberSetBy([container], "--admin-port", "ADMIN_PORT") ?? admin.port,
    traffic: numberSetBy([container], "--port", "PORT") ?? listen.port,
  };
}

function whoseAt(asked: Record<string, unknown>, container: Container, config: Config): Ask["at"] | null {
  if (textOf(asked["host"]) !== "") return null;
  return whoseIs(portAsked(asked["port"], container), container, config);
}

function whoseIs(port: number | undefined, container: Container, config: Config): Ask["at"] | null {
  const ports = portsIn(container, config);
  return (["admin", "traffic"] as const).find((at) => ports[at] === port) ?? null;
}

/** The number of a port that a probe names or numbers; undefined when no port has that name. */
function portAsked(asked: unknown, { ports }: Container): number | undefined {
  const named = listOf(ports).find(({ name }) => textOf(name) !== "" && textOf(name) === textOf(asked));
  return numberOf(named?.["containerPort"] ?? asked);
}

/**
 * Whether the kubelet asks one of its probes, which it does at the pod's address unless another one is written, and at
 * no other port than the admin server's.
 */
export function isProbedAtAdmin(container: Container, config: Config): boolean {
  return PROBES.some((probe) => {
    const asked = ["httpGet", "tcpSocket"].map((key) => valueAt(container[probe], [key])).filter(isMap);
    return asked.some(({ host, port: asksAt }) => {
      const port = portAsked(asksAt, container);
      return textOf(host) === "" && (port === undefined || port === portsIn(container, config).admin);
    });
  });
}

/** A program that asks this pod: `curl -f http://localhost:9901/readyz`. */
const OWN_URL =
  /(https?):\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]|\$[({]?\w+[)}]?):(\d+)(\/[^\s"'#;&|]*)?/;

function askOfCommand(words: readonly string[], container: Container, config: Config): Ask | null {
  const text = words.join(" ");
  const probed = /(?:^|[\s/])(?:weir|main\.ts) probe(?![\w-])([^;&|]*)/.exec(text);
  if (probed !== null) {
    const target = /--path[= ]["']?([^\s"']+)/.exec(probed[1]!)?.[1] ?? "/readyz";
    return { at: "admin", target, scheme: "http", headers: [] };
  }
  const [, scheme, port, target = "/"] = OWN_URL.exec(text) ?? [];
  const at = whoseIs(numberOf(port), container, config);
  return at && { at, target, scheme: scheme as Ask["scheme"], headers: [] };
}

/**
 * Seconds from the start of a container until the kubelet gives up on a probe that never passes; undefined where that
 * cannot be told.
 */
export function patienceS(probe: ProbeName, container: Container): number | undefined {
  const [delay, period, failures] = ([
    ["initialDelaySeconds", 0],
    ["periodSeconds", 10],
    ["failureThreshold", 3],
  ] as const).map(([key, byDefault]) => {
    const written = valueAt(container[probe], [key]) ?? byDefault;
    // Of 0 the API server makes the default.
    return numberOf(written) === 0 ? byDefault : numberOf(written);
  });
  if (delay === undefined || period === undefined || failures === undefined) return undefined;
  return delay + (failures - 1) * period;
}
