// Sets the stage for one scenario: origins on the load's cores, each contestant in its place on its own core.
//
// Contestants of a scenario stand at the same time and wait their turn, idle: that keeps compiled code and
// connection pools warm between rounds. One that cannot start is named with its reason and left out. Ports are
// free ones of the loopback interface; configurations and temporary files are under one scratch directory.

import { makeCertificate } from "./certificate.ts";
import type { Certificate, Contestant, Launch, Place } from "./contestants.ts";
import { isInstalled, type Launched, type Processes } from "./processes.ts";
import { baseUrl, isSecure, PAYLOADS, type Scenario } from "./scenarios.ts";
import { checkAnswer, reasonIn, untilReady } from "./ready.ts";
import { fillTemplate } from "./template.ts";

export interface Cores {
  /** The proxy under test. */
  readonly proxy: string;
  /** Load and origins. */
  readonly load: string;
  readonly all: string;
}

/** A contestant that answers. */
export interface Standing {
  readonly contestant: Contestant;
  readonly port: number;
  /** Empty for `direct`. */
  readonly pids: readonly number[];
  /** Why it can no longer be measured; null while it runs. */
  fault(): string | null;
  stop(): Promise<void>;
}

export interface Skipped {
  readonly contestant: string;
  readonly reason: string;
}

export class Stage {
  #directories = 0;
  #certificate: Certificate | null = null;

  constructor(readonly processes: Processes, readonly cores: Cores, readonly scratch: string) {}

  async startOrigins(count: number): Promise<{ ports: number[]; stop: () => Promise<void> }> {
    const ports = freePorts(count);
    const launched = isInstalled("nginx") ? await this.#nginxOrigins(ports) : this.#denoOrigins(ports);
    await untilReady(`http://127.0.0.1:${ports[0]}/1kb`, [launched], null);
    return { ports, stop: () => launched.stop() };
  }

  async #nginxOrigins(ports: readonly number[]): Promise<Launched> {
    const directory = await this.#directory();
    await Deno.writeTextFile(`${directory}/300kb`, "x".repeat(PAYLOADS["300kb"]));
    await Deno.writeTextFile(`${directory}/2b`, "xx");
    const values = { scratch: directory, kilobyte: "x".repeat(1024) };
    const config = await this.#fill("./origins/nginx.conf", directory, values, ports);
    return this.processes.launch(["nginx", "-e", "stderr", "-p", directory, "-c", config], this.cores.load);
  }

  #denoOrigins(ports: readonly number[]): Launched {
    const script = new URL("./origins/origin.ts", import.meta.url).pathname;
    const command = [Deno.execPath(), "run", "--quiet", "--allow-net=127.0.0.1", "--allow-env", script];
    const env = { PORTS: ports.join(","), PAYLOADS: JSON.stringify(PAYLOADS) };
    return this.processes.launch(command, this.cores.load, env);
  }

  /** @throws when it cannot start, with what it wrote. */
  async start(contestant: Contestant, scenario: Scenario, origins: readonly number[]): Promise<Standing> {
    if (contestant.launch === null) return direct(contestant, origins[0] ?? 0);
    const [port = 0, adminPort = 0] = freePorts(2);
    const { workers } = scenario;
    const certificate = isSecure(scenario) ? this.#certificate ??= await this.#newCertificate() : null;
    const place: Place = {
      port,
      adminPort,
      origins,
      workers,
      scenario,
      scratch: this.scratch,
      certificate,
      configure: async (file) => {
        const scratch = await this.#directory();
        return await this.#fill(
          `./peers/${file}`,
          scratch,
          { port, workers, scratch, ...certificate },
          origins,
        );
      },
    };
    const { command, env, count = 1, readyUrl, logFile }: Launch = await contestant.launch(place);
    const cores = scenario.pinned ? this.cores.proxy : this.cores.all;
    const launched = Array.from(
      { length: count },
      () => this.processes.launch(logFile === undefined ? command : loggingTo(logFile, command), cores, env),
    );
    const standing = stand(contestant, port, launched);
    try {
      await untilReady(readyUrl ?? `${baseUrl(scenario, port)}/1kb`, launched, certificate);
      if (scenario.kind === "load") await checkAnswer(port, scenario, certificate);
      return standing;
    } catch (error) {
      await standing.stop();
      throw error;
    }
  }

  async #newCertificate(): Promise<Certificate> {
    return await makeCertificate(this.processes, await this.#directory());
  }

  async #fill(
    file: string,
    directory: string,
    values: Record<string, string | number>,
    origins: readonly number[],
  ): Promise<string> {
    const template = await Deno.readTextFile(new URL(file, import.meta.url));
    const path = `${directory}/${file.slice(file.lastIndexOf("/") + 1)}`;
    await Deno.writeTextFile(path, fillTemplate(template, values, origins));
    return path;
  }

  /** Readable for everyone: nginx's workers run as another user when its master is root. */
  async #directory(): Promise<string> {
    const path = `${this.scratch}/${++this.#directories}`;
    await Deno.mkdir(path, { mode: 0o755 });
    return path;
  }
}

/** Deno can give a process a pipe, but no file. */
function loggingTo(file: string, command: readonly string[]): string[] {
  return ["sh", "-c", 'exec "$@" >"$0"', file, ...command];
}

/** Those of `names` (all when null) that are installed, and those that are not. */
export function chooseContestants(
  contestants: readonly Contestant[],
  names: readonly string[] | null,
  quick: boolean,
): { wanted: Contestant[]; chosen: Contestant[]; skipped: Skipped[] } {
  const wanted = contestants.filter(({ name, quick: inQuick }) =>
    names === null ? !quick || inQuick : names.includes(name)
  );
  const missing = wanted.filter(({ program }) => program !== undefined && !isInstalled(program));
  return {
    wanted,
    chosen: wanted.filter((contestant) => !missing.includes(contestant)),
    skipped: missing.map(({ title, program }) => ({
      contestant: title,
      reason: `${program} is not installed`,
    })),
  };
}

function direct(contestant: Contestant, port: number): Standing {
  return { contestant, port, pids: [], fault: () => null, stop: async () => {} };
}

function stand(contestant: Contestant, port: number, launched: readonly Launched[]): Standing {
  return {
    contestant,
    port,
    pids: launched.map(({ pid }) => pid),
    fault: () => {
      const ended = launched.find((process) => !process.alive());
      return ended === undefined ? null : `ended: ${reasonIn(ended.errorTail())}`;
    },
    stop: async () => {
      await Promise.all(launched.map((process) => process.stop()));
    },
  };
}

/** Ports that are free now; all are held open until the last is found, so they differ. */
function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map((listener) => listener.addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}
