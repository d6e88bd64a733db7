// A scenario: scripted origins, a running Weir, raw clients, and a test that reads from top to bottom.
//
//   scenario("a dead endpoint is not noticed", async ({ origin, weir, client }) => { ... });
//
// Each one runs once for each listener. What it started is stopped in reverse order, whatever happened, and
// before that Weir must have come back to rest (`invariants.ts`).

import { checkInvariants } from "./invariants.ts";
import { RawClient } from "./raw_client.ts";
import { type RawOrigin, type Script, startOrigin } from "./raw_origin.ts";
import { type ListenerName, type RunningWeir, startWeir, type WeirOptions } from "./weir.ts";

/** The listeners that every scenario must hold on. */
export const LISTENERS: readonly ListenerName[] = ["serve"];

/** What a scenario sets its stage with. */
export interface Props {
  readonly listener: ListenerName;
  /** An origin with a script; it plays until the scenario ends. */
  origin(script?: Script): Promise<RawOrigin>;
  /** A Weir of its own process on this scenario's listener. */
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
  const weirs: RunningWeir[] = [];
  const clients: RawClient[] = [];
  const props: Props = {
    listener,
    origin: async (script) => stack.use(await startOrigin(script)),
    async weir(options) {
      const weir = stack.use(await startWeir({ listener, ...options }));
      weirs.push(weir);
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
  for (const weir of weirs.filter(({ ended }) => !ended)) await checkInvariants(weir);
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  const overdue = Promise.withResolvers<never>();
  const timer = setTimeout(() => overdue.reject(new Error(`still waiting after ${ms} ms`)), ms);
  await Promise.race([work, overdue.promise]).finally(() => clearTimeout(timer));
}
