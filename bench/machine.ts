// On what machine, and with which versions, the figures are taken; and how its cores are shared out.

import { isInstalled, type Processes } from "./processes.ts";
import type { Machine } from "./results.ts";
import type { Cores } from "./stage.ts";

const VERSION_COMMANDS: readonly (readonly [string, ...string[]])[] = [
  ["nginx", "-v"],
  ["haproxy", "-v"],
  ["caddy", "version"],
  ["wrk", "-v"],
  ["h2load", "--version"],
];

/** Core 0 for the contestant, the others for load and origins. @throws on a machine with one core. */
export function shareCores(count: number): Cores {
  if (count < 2) throw new Error("the benchmark needs 2 cores: one for the proxy, one for load and origins");
  return { proxy: "0", load: count === 2 ? "1" : `1-${count - 1}`, all: `0-${count - 1}` };
}

/** What is not there and cannot be done without, in words; null when all is. */
export function missingForAll(): string | null {
  if (Deno.build.os !== "linux") return `it reads Linux's /proc, and this is ${Deno.build.os}`;
  for (
    const [program, from] of [["taskset", "util-linux"], ["find", "findutils"], ["grep", "grep"]] as const
  ) {
    if (!isInstalled(program)) return `${program} is not installed (Debian: ${from})`;
  }
  return null;
}

export async function describeMachine(processes: Processes): Promise<Machine> {
  const cpuinfo = await processes.output(["grep", "-m1", "model name", "/proc/cpuinfo"]);
  const versions: Record<string, string> = { deno: Deno.version.deno };
  for (const [program, ...args] of VERSION_COMMANDS) {
    if (!isInstalled(program)) continue;
    const { stdout, stderr } = await processes.run([program, ...args]);
    versions[program] = /\d+(\.\d+)+/.exec(stdout + stderr)?.[0] ?? "unknown";
  }
  return {
    cpu: cpuinfo.split(":")[1]?.trim() || Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    // What a distribution appends tells nothing about speed.
    kernel: /\d+(\.\d+)+/.exec(await processes.output(["cat", "/proc/sys/kernel/osrelease"]))?.[0] ??
      "unknown",
    versions,
  };
}
