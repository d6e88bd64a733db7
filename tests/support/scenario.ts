// A scenario: scripted origins, a running Weir, raw clients, and a test that reads from top to bottom.
//
//   scenario("a dead endpoint is not noticed", async ({ origin, weir, client }) => { ... });
//
// Each one runs once for each listener. What it started is stopped in reverse order, whatever happened, and
// before that Weir must have come back to rest (`invariants.ts`).

import { checkInvariants } from "./invariants.ts";
import { type LoopOptions, type RunningLoop, startLoop } from "./loop.ts";
import { RawClient } from "./raw_client.ts";
import { type RawOrigin, type Script, startOrigin } from "./raw_origin.ts";
import { type ListenerName, type RunningWeir, startWeir, type WeirOptions } from "./weir.ts";

/** The listeners that every scenario must hold on. */
export const LISTENERS: readonly ListenerName[] = ["serve", "wire"];

/** For what Deno.serve cannot do (docs/listeners.md). */
export const ALL_BUT_SERVE = LISTENERS.filter((listener) => listener !== "serve");

/** What a scenario sets its stage with. */
export interface Props {
  readonly listener: ListenerName;
  /** An origin with a script; it plays until the scenario ends. */
  origin(script?: Script): Promise<RawOrigin>;
  /** One event loop of Weir, with this scenario's listener, in the test's own thread. */
  loop(options: LoopOptions): Promise<RunningLoop>;
  /** The whole of Weir in a process of its own. */
  weir(options: WeirOptions): Promise<RunningWeir>;
  /** A raw connection to a server. */
  client(server: { readonly url: string }): Promise<RawClient>;
}

export interface ScenarioOptions {
  /** Default: all. A story about one listener's own traits names it. */
  readonly listeners?: readonly ListenerName[];
  /** From `needs()`: skip without a program. */
  readonly ignore?: boolean;
}

export function scenario(
  name: string,
  play: (props: Props) => Promise<void>,
  { listeners = LISTENERS, ignore = false }: ScenarioOptions = {},
): void {
  for (const listener of listeners) {
    Deno.test({
      name: `${name} (${listener})`,
      ignore,
      sanitizeOps: true,
      sanitizeResources: true,
      fn: () => run(listener, play),
    });
  }
}

/** A scenario that waits for what never comes fails after this, instead of holding up the suite. */
const SCENARIO_MS_MAX = 60_000;

async function run(listener: ListenerName, play: (props: Props) => Promise<void>): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const checks: (() => Promise<void>)[] = [];
  const clients: RawClient[] = [];
  const props: Props = {
    listener,
    origin: async (script) => stack.use(await startOrigin(script)),
    async loop(options) {
      const loop = stack.use(await startLoop({ listener, ...options }));
      checks.push(() => loop.checkInvariants());
      return loop;
    },
    async weir(options) {
      const weir = stack.use(await startWeir({ listener, ...options }));
      checks.push(async () => weir.ended ? undefined : await checkInvariants(weir));
      return weir;
    },
    async client({ url }) {
      const client = stack.use(await RawClient.connect(url));
      clients.push(client);
      return client;
    },
  };
  await within(SCENARIO_MS_MAX, play(props));
  await Promise.all(clients.map((client) => client.reset()));
  for (const check of checks) await check();
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  const overdue = Promise.withResolvers<never>();
  const timer = setTimeout(() => overdue.reject(new Error(`still waiting after ${ms} ms`)), ms);
  await Promise.race([work, overdue.promise]).finally(() => clearTimeout(timer));
}
