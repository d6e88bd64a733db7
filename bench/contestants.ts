// The contestants: what is measured, in the order of the tables. One row is one contestant.
//
// `weir` rows are Weir, `peer` rows other load balancers, `bound` rows the programs that tell how much of a
// figure is Weir's own: the floor and the plain fetch proxy from Deno's side, the origin itself without a proxy.
// Peers take part with a first configuration and with a tuned one (nginx with the step between them, too, since
// its first configuration keeps no connection to the origins); the files are in `peers/`. Which of them a scenario
// measures, `scenarios.ts` says.

import type { ContestantName } from "./contestant_name.ts";
import { baseUrl, isSecure, type LoadScenario, PAYLOADS, type Scenario } from "./scenarios.ts";
import { requireListener, weirCommand } from "./weir_command.ts";

/** Where a contestant is to stand. */
export interface Place {
  readonly port: number;
  readonly adminPort: number;
  readonly origins: readonly number[];
  readonly workers: number;
  readonly scenario: Scenario;
  /** For what the run writes. */
  readonly scratch: string;
  readonly certificate: Certificate | null;
  /** Fills the file of this name under `bench/peers/`; returns the path of the result, in a directory of its own. */
  readonly configure: (file: string) => Promise<string>;
}

/** PEM files; self-signed for 127.0.0.1. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  /** Both in one file. */
  readonly bothFile: string;
}

export interface Launch {
  readonly command: readonly string[];
  readonly env?: Record<string, string>;
  /** How many of these processes share the port. */
  readonly count?: number;
  /** What it writes to standard output goes to a file, as a log does; else nowhere. */
  readonly logFile?: string;
  /** Answers 200 as soon as the contestant can be measured; the payload itself unless given. */
  readonly readyUrl?: string;
}

export interface Contestant {
  readonly name: ContestantName;
  readonly title: string;
  readonly kind: "weir" | "peer" | "bound";
  /** The program that has to be installed. */
  readonly program?: string;
  /** Takes part in `--quick`. */
  readonly quick: boolean;
  /** False where the contestant has nothing to say. */
  readonly takesPartIn: (scenario: Scenario) => boolean;
  /** Null for none to launch: the load goes to an origin. */
  readonly launch: ((place: Place) => Launch | Promise<Launch>) | null;
}

const deno = [Deno.execPath(), "run", "--no-prompt", "--quiet", "--unstable-net", "--allow-net=127.0.0.1"];

interface PeerProgram {
  /** Has to be installed. */
  readonly program: string;
  /** @param config its filled file. */
  readonly command: (config: string) => readonly string[];
}

const nginx: PeerProgram = {
  program: "nginx",
  command: (
    config,
  ) => ["nginx", "-e", "stderr", "-p", config.slice(0, config.lastIndexOf("/")), "-c", config],
};
const haproxy: PeerProgram = {
  program: "haproxy",
  command: (config) => ["haproxy", "-db", "-f", config],
};
const caddy: PeerProgram = {
  program: "caddy",
  command: (config) => ["caddy", "run", "--adapter", "caddyfile", "--config", config],
};

const here = (file: string) => new URL(file, import.meta.url).pathname;

export const CONTESTANTS: readonly Contestant[] = [
  weir("weir", "Weir (serve)", "serve", "off"),
  weir("weir-wire", "Weir (wire)", "wire", "off"),
  weir("weir-log", "Weir (serve), log on", "serve", "json"),
  weir("weir-wire-log", "Weir (wire), log on", "wire", "json"),
  peer("nginx", "nginx", nginx, ["nginx_default.conf"], false),
  peer("nginx-keepalive", "nginx, keep-alive", nginx, ["nginx_keepalive.conf"], true),
  peer("nginx-tuned", "nginx, tuned", nginx, ["nginx_tuned.conf", "nginx_tls.conf"], true),
  peer("haproxy", "HAProxy", haproxy, ["haproxy_default.cfg"], false),
  peer("haproxy-tuned", "HAProxy, tuned", haproxy, ["haproxy_tuned.cfg", "haproxy_tls.cfg"], true),
  peer("caddy", "Caddy", caddy, ["caddy_default.caddyfile"], false),
  peer("caddy-tuned", "Caddy, tuned", caddy, ["caddy_tuned.caddyfile", "caddy_tls.caddyfile"], false),
  {
    name: "fetch",
    title: "Deno.serve + fetch",
    kind: "bound",
    quick: true,
    takesPartIn: (scenario) => !isLogged(scenario),
    launch: (place) => ({
      command: [...deno, `--allow-read=${place.scratch}`, "--allow-env", here("./peers/fetch_proxy.ts")],
      env: ownEnvironment(place),
      count: place.workers,
    }),
  },
  {
    name: "floor",
    title: "floor",
    kind: "bound",
    quick: true,
    takesPartIn: (scenario) => scenario.kind === "load" && scenario.uploadBytes === 0 && !isLogged(scenario),
    launch: (place) => ({
      command: [...deno, `--allow-read=${place.scratch}`, "--allow-env", here("./peers/floor.ts")],
      env: { ...ownEnvironment(place), ...answerEnvironment(place.scenario as LoadScenario) },
      count: place.workers,
    }),
  },
  {
    name: "direct",
    title: "direct to an origin",
    kind: "bound",
    quick: false,
    takesPartIn: (scenario) => scenario.kind === "load" && !isSecure(scenario) && !isLogged(scenario),
    launch: null,
  },
];

/** Only Weir is measured with a log; the others never write one. */
function isLogged({ name }: Scenario): boolean {
  return name === "log";
}

function isHttp2(scenario: Scenario): boolean {
  return scenario.kind === "load" && scenario.protocol === "h2";
}

function weir(name: ContestantName, title: string, listener: string, log: "off" | "json"): Contestant {
  const launch = async (place: Place): Promise<Launch> => {
    await requireListener(listener);
    const config = weirConfig(place);
    return {
      command: await weirCommand(place.scratch),
      env: {
        ...ownEnvironment(place),
        ...(config === null ? {} : { CONFIG: await place.configure(config) }),
        HOST: "127.0.0.1",
        ADMIN_HOST: "127.0.0.1",
        ADMIN_PORT: String(place.adminPort),
        WORKERS: String(place.workers),
        LISTENER: listener,
        ACCESS_LOG: log,
      },
      readyUrl: `http://127.0.0.1:${place.adminPort}/readyz`,
      ...(log === "off" ? {} : { logFile: `${place.scratch}/${name}.log` }),
    };
  };
  const takesPartIn = (scenario: Scenario) =>
    (log === "off" || isLogged(scenario)) && (listener === "serve" || !isHttp2(scenario));
  return { name, title, kind: "weir", quick: log === "off", takesPartIn, launch };
}

/** Null where the environment says all. */
function weirConfig({ scenario }: Place): string | null {
  if (isSecure(scenario)) return "weir_tls.yaml";
  return scenario.kind === "load" && scenario.idleConnections > 0 ? "weir_many.yaml" : null;
}

/** @param files for plain connections, and for TLS; without the second it has no part in scenarios with TLS. */
function peer(
  name: ContestantName,
  title: string,
  { program, command }: PeerProgram,
  [plain, secure]: readonly [string, string?],
  quick: boolean,
): Contestant {
  const launch = async (place: Place): Promise<Launch> => {
    const file = isSecure(place.scenario) ? secure ?? plain : plain;
    return {
      command: command(await place.configure(file)),
      readyUrl: `${baseUrl(place.scenario, place.port)}/1kb`,
    };
  };
  const takesPartIn = (scenario: Scenario) =>
    !isLogged(scenario) && (!isSecure(scenario) || secure !== undefined);
  return { name, title, kind: "peer", program, quick, takesPartIn, launch };
}

function ownEnvironment({ origins, port, certificate }: Place): Record<string, string> {
  const upstreams = origins.map((port) => `http://127.0.0.1:${port}`).join(",");
  const { certFile = "", keyFile = "" } = certificate ?? {};
  return { UPSTREAMS: upstreams, PORT: String(port), ...(certificate && { CERT: certFile, KEY: keyFile }) };
}

function answerEnvironment(scenario: LoadScenario): Record<string, string> {
  return { ANSWER: scenario.answer, ANSWER_BYTES: String(PAYLOADS[scenario.answer]) };
}
