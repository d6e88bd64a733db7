// Where Weir begins and ends: reads the command, runs it, handles signals, exits.
//
// The only file that exits, handles signals or reads the environment. Exit codes: 0 a clean end, 1 a failure
// to start or to print, a worker that hangs while the pod serves, or a no of `check`, `explain` or `probe`, 64 a
// refused configuration or command line (EX_USAGE), 130 a second signal. What only other commands need is not
// loaded by a Weir that runs.

import { complain, print, PrintError } from "./cli/print.ts";
import { ENVIRONMENT, forgetForeignVariables } from "./cli/environment.ts";
import { run } from "./cli/run.ts";
import type { Signals } from "./cli/signals.ts";
import { VERSION } from "./version.ts";

/** Signals of one Ctrl-C: `deno task` delivers it twice. */
const SAME_SIGNAL_MS = 1_000;

function processSignals(): Signals {
  let first = -Infinity;
  return {
    onStop: (callback) => {
      const stop = (hurry: boolean) => () => {
        const now = performance.now();
        if (first === -Infinity) {
          first = now;
          callback(hurry);
        } else if (now - first > SAME_SIGNAL_MS) Deno.exit(130);
      };
      Deno.addSignalListener("SIGTERM", stop(false));
      Deno.addSignalListener("SIGINT", stop(true));
    },
    onReload: (callback) => Deno.addSignalListener("SIGHUP", callback),
  };
}

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  forgetForeignVariables((name) => Deno.env.delete(name));
  const env = Object.fromEntries(ENVIRONMENT.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
  const wantsHelp = command === undefined || command === "help" || args.includes("--help") ||
    args.includes("-h");
  if (wantsHelp) {
    const topic = command === "help" ? rest[0] : command;
    const { helpOn, isCommand } = await import("./cli/help.ts");
    if (topic !== undefined && !topic.startsWith("-") && !isCommand(topic)) return await unknown(topic);
    print(helpOn(topic));
    return command === undefined ? 64 : 0;
  }
  switch (command) {
    case "start":
      return await run({ args: rest, env, signals: processSignals(), sampleOrigins: true });
    case "run":
      return await run({ args: rest, env, signals: processSignals(), sampleOrigins: false });
    case "check":
      return await (await import("./cli/check.ts")).check(rest, env);
    case "explain":
      return await (await import("./cli/explain.ts")).explain(rest, env);
    case "probe":
      return await (await import("./cli/probe.ts")).probe(rest, env);
    case "version":
    case "--version":
      print(`weir ${VERSION} (deno ${Deno.version.deno})`);
      return 0;
    default:
      return await unknown(command);
  }
}

async function unknown(command: string): Promise<number> {
  complain((await import("./cli/help.ts")).unknownCommand(command));
  return 64;
}

/** @throws every other error: a mistake in the program. */
function unprinted(error: unknown): number {
  if (!(error instanceof PrintError)) throw error;
  complain(error.message);
  return 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args).catch(unprinted));
