// A scenario: scripted origins, a running Weir, raw clients, and a test that reads from top to bottom.
//
//   scenario("a dead endpoint is not noticed", async ({ origin, weir, client }) => { ... });
//
// Each one runs once for each listener. Whatever happened, what it started is stopped: its clients, then every
// Weir, then the origins. Before that Weir must have come back to rest (`invariants.ts`).

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
const SCENARIO_MS_MAX = 120_000;

async function run(listener: ListenerName, play: (props: Props) => Promise<void>): Promise<void> {
  // They end in reverse order.
  await using origins = new Troupe();
  await using weirs = new Troupe();
  await using clients = new Troupe();
  const checks: (() => Promise<void>)[] = [];
  const pods: RunningWeir[] = [];
  const props: Props = {
    listener,
    origin: (script) => origins.add(startOrigin(script)),
    async loop(options) {
      const loop = await weirs.add(startLoop({ listener, ...options }));
      checks.push(() => loop.checkInvariants());
      return loop;
    },
    async weir(options) {
      const weir = await weirs.add(startWeir({ listener, ...options }));
      pods.push(weir);
      checks.push(async () => weir.ended ? undefined : await checkInvariants(weir));
      return weir;
    },
    client: ({ url }) => clients.add(RawClient.connect(url)),
  };
  try {
    await within(SCENARIO_MS_MAX, play(props));
  } catch (error) {
    // What fails once in a thousand times is told in full.
    if (error instanceof Error) error.message += pods.map((pod) => pod.lastWords()).join("");
    throw error;
  }
  await clients[Symbol.asyncDispose]();
  for (const check of checks) await check();
}

/** Who plays in a scenario. All of them stop at once: a Weir takes a moment to leave, and some plays have dozens. */
class Troupe implements AsyncDisposable {
  readonly #members: Promise<AsyncDisposable>[] = [];

  /** One that is still starting when the play is over stops, too. */
  add<Member extends AsyncDisposable>(starting: Promise<Member>): Promise<Member> {
    this.#members.push(starting);
    return starting;
  }

  /** @throws AggregateError with what went wrong */
  async [Symbol.asyncDispose](): Promise<void> {
    const stop = async (starting: Promise<AsyncDisposable>) => {
      // Whoever awaits it in the play hears of one that does not start.
      const member = await starting.catch(() => null);
      await member?.[Symbol.asyncDispose]();
    };
    const stopped = await Promise.allSettled(this.#members.map(stop));
    const reasons = stopped.flatMap((one) => one.status === "rejected" ? [one.reason] : []);
    if (reasons.length > 0) throw new AggregateError(reasons, reasons.map(String).join("; "));
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  const overdue = Promise.withResolvers<never>();
  const timer = setTimeout(() => overdue.reject(new Error(`still waiting after ${ms} ms`)), ms);
  await Promise.race([work, overdue.promise]).finally(() => clearTimeout(timer));
}
