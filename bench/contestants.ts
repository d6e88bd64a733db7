// The contestants: what is measured, in the order of the tables. One row is one contestant.
//
// `weir` rows are Weir, `peer` rows other load balancers, `bound` rows the programs that tell how much of a
// figure is Weir's own: the floor and the plain fetch proxy from Deno's side, the origin itself without a proxy.
// Peers take part with a first configuration and with a tuned one (nginx with the step between them, too, since
// its first configuration keeps no connection to the origins); the files are in `peers/`.

import { type LoadScenario, PAYLOADS, type Scenario } from "./scenarios.ts";
import { requireListener, weirCommand } from "./weir_command.ts";

export type ContestantName =
  | "weir"
  | "weir-wire"
  | "nginx"
  | "nginx-keepalive"
  | "nginx-tuned"
  | "haproxy"
  | "haproxy-tuned"
  | "caddy"
  | "caddy-tuned"
  | "fetch"
  | "floor"
  | "direct";

/** Where a contestant is to stand. */
export interface Place {
  readonly port: number;
  readonly adminPort: number;
  readonly origins: readonly number[];
  readonly workers: number;
  readonly scenario: Scenario;
  /** Fills the file of this name under `bench/peers/`; returns the path of the result, in a directory of its own. */
  readonly configure: (file: string) => Promise<string>;
}

export interface Launch {
  readonly command: readonly string[];
  readonly env?: Record<string, string>;
  /** How many of these processes share the port. */
  readonly count?: number;
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

const always = () => true;
const deno = [Deno.execPath(), "run", "--no-prompt", "--quiet", "--unstable-net"];
const here = (file: string) => new URL(file, import.meta.url).pathname;

export const CONTESTANTS: readonly Contestant[] = [
  weir("weir", "Weir (serve)", "serve"),
  weir("weir-wire", "Weir (wire)", "wire"),
  peer("nginx", "nginx", "nginx", nginx("nginx_default.conf"), false),
  peer("nginx-keepalive", "nginx, keep-alive", "nginx", nginx("nginx_keepalive.conf"), true),
  peer("nginx-tuned", "nginx, tuned", "nginx", nginx("nginx_tuned.conf"), true),
  peer("haproxy", "HAProxy", "haproxy", haproxy("haproxy_default.cfg"), false),
  peer("haproxy-tuned", "HAProxy, tuned", "haproxy", haproxy("haproxy_tuned.cfg"), true),
  peer("caddy", "Caddy", "caddy", caddy("caddy_default.caddyfile"), false),
  peer("caddy-tuned", "Caddy, tuned", "caddy", caddy("caddy_tuned.caddyfile"), false),
  {
    name: "fetch",
    title: "Deno.serve + fetch",
    kind: "bound",
    quick: true,
    takesPartIn: always,
    launch: (place) => ({
      command: [...deno, "--allow-net=127.0.0.1", "--allow-env", here("./peers/fetch_proxy.ts")],
      env: ownEnvironment(place),
      count: place.workers,
    }),
  },
  {
    name: "floor",
    title: "floor",
    kind: "bound",
    quick: true,
    takesPartIn: (scenario) => scenario.kind === "load" && scenario.uploadBytes === 0,
    launch: (place) => ({
      command: [...deno, "--allow-net=127.0.0.1", "--allow-env", here("./peers/floor.ts")],
      env: { ...ownEnvironment(place), ...answerEnvironment(place.scenario as LoadScenario) },
      count: place.workers,
    }),
  },
  {
    name: "direct",
    title: "direct to an origin",
    kind: "bound",
    quick: false,
    takesPartIn: (scenario) => scenario.kind === "load",
    launch: null,
  },
];

function weir(name: ContestantName, title: string, listener: string): Contestant {
  const launch = async (place: Place): Promise<Launch> => {
    await requireListener(listener);
    return {
      command: await weirCommand(),
      env: weirEnvironment(place, listener),
      readyUrl: `http://127.0.0.1:${place.adminPort}/readyz`,
    };
  };
  return { name, title, kind: "weir", quick: true, takesPartIn: always, launch };
}

function weirEnvironment(place: Place, listener: string): Record<string, string> {
  return {
    ...ownEnvironment(place),
    HOST: "127.0.0.1",
    ADMIN_HOST: "127.0.0.1",
    ADMIN_PORT: String(place.adminPort),
    WORKERS: String(place.workers),
    LISTENER: listener,
    ACCESS_LOG: "off",
  };
}

function peer(
  name: ContestantName,
  title: string,
  program: string,
  command: (place: Place) => Promise<readonly string[]>,
  quick: boolean,
): Contestant {
  const launch = async (place: Place): Promise<Launch> => ({ command: await command(place) });
  return { name, title, kind: "peer", program, quick, takesPartIn: always, launch };
}

function nginx(file: string): (place: Place) => Promise<readonly string[]> {
  return async (place) => {
    const path = await place.configure(file);
    return ["nginx", "-e", "stderr", "-p", path.slice(0, path.lastIndexOf("/")), "-c", path];
  };
}

function haproxy(file: string): (place: Place) => Promise<readonly string[]> {
  return async (place) => ["haproxy", "-db", "-q", "-f", await place.configure(file)];
}

function caddy(file: string): (place: Place) => Promise<readonly string[]> {
  return async (place) => ["caddy", "run", "--adapter", "caddyfile", "--config", await place.configure(file)];
}

function ownEnvironment(place: Place): Record<string, string> {
  const upstreams = place.origins.map((port) => `http://127.0.0.1:${port}`).join(",");
  return { UPSTREAMS: upstreams, PORT: String(place.port) };
}

function answerEnvironment(scenario: LoadScenario): Record<string, string> {
  return { ANSWER: scenario.answer, ANSWER_BYTES: String(PAYLOADS[scenario.answer]) };
}
