// What `weir help` prints, and `weir help COMMAND` or `weir COMMAND --help` of one command.

import { nearest } from "../config/nearest.ts";
import { configUsage } from "../config/reference.ts";

interface CommandHelp {
  readonly does: string;
  /** How it is called, and what needs a word. */
  readonly usage: string;
  /** It reads a configuration from flags, environment and file. */
  readonly configured?: true;
}

const WHERE = "Finds the admin port as start does: --admin-host, --admin-port, --config, environment, file.";

/** In the order in which people need them. */
const COMMANDS: Readonly<Record<string, CommandHelp>> = {
  start: {
    does: "balance over the configured upstreams; with nothing configured, over three sample origins",
    usage: "weir start [FLAGS]",
    configured: true,
  },
  run: {
    does: "as start, but refuse to start without upstreams (the container's command)",
    usage: "weir run [FLAGS]",
    configured: true,
  },
  check: {
    does: "validate the configuration and print it with where each value came from",
    usage: `weir check [--manifest PATH]... [FLAGS]

--manifest holds the configuration against Kubernetes manifests, a file or a folder, as well.
Exit 0: it serves, with warnings or without; 1: it has an error of reason; 64: it is refused.`,
    configured: true,
  },
  explain: {
    does: "ask a running Weir why a request goes, or went, where it does",
    usage:
      `weir explain --path PATH [--method M] [--host H] [--client ADDRESS] [--header 'NAME: VALUE']... [--json]
       weir explain --id REQUEST_ID [--json]

${WHERE}
Exit 0: there is an explanation; 1: there is none.`,
  },
  probe: {
    does: "ask a running Weir whether it is ready: exit 0 or 1",
    usage: `weir probe [--path /readyz]

${WHERE}`,
  },
  version: { does: "print the version", usage: "weir version" },
};

const NAMES = [...Object.keys(COMMANDS), "help"];

export function isCommand(name: string): boolean {
  return NAMES.includes(name);
}

/** What is said of a command that there is not. */
export function unknownCommand(command: string): string {
  const near = nearest(command, NAMES);
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  return `unknown command: ${command}, must be one of ${NAMES.join(", ")}${hint}`;
}

/** The help of that command, or of all where it is none. */
export function helpOn(command: string | undefined): string {
  const one = command === undefined || !Object.hasOwn(COMMANDS, command) ? undefined : COMMANDS[command];
  if (one === undefined) return general();
  const does = one.does[0]!.toUpperCase() + one.does.slice(1);
  return `${does}.\n\nUsage: ${one.usage}\n${one.configured ? `\n${configUsage()}` : ""}`;
}

function general(): string {
  const commands = Object.entries(COMMANDS).map(([name, { does }]) => `  ${name.padEnd(9)} ${does}`);
  return `Weir, an HTTP load balancer.

Usage: weir COMMAND [FLAGS]

${commands.join("\n")}

weir help COMMAND tells more of one.

${configUsage()}`;
}
