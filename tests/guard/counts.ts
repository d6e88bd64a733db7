// Counts what one exchange costs Weir: reads, writes, allocated bytes and system calls, but no time.
//
// One client asks on one connection, one exchange after the other, so that the counts do not depend on how the
// machine shares its cores. What noise is left (a read that finds half an answer, a collection that moves
// objects, a timer) only ever adds: of several batches, the least is the figure.

import { TemporaryFolder } from "../support/temporary_folder.ts";
import type { ListenerName } from "../support/weir.ts";
import { exchange, Origin, type Scene, scene } from "./exchange.ts";
import { Guarded } from "./guarded.ts";
import { systemCallsOf } from "./trace.ts";

export const SCENES = {
  "GET 1 KB": scene(0, 1024),
  "POST 1 KB": scene(1024, 2),
  "GET 300 KB": scene(0, 300 * 1024),
} as const;
export type SceneName = keyof typeof SCENES;
export const SCENE_NAMES = Object.keys(SCENES) as SceneName[];

/** Per exchange. */
export type Counts = Readonly<Partial<Record<FigureName, number>>>;
export type FigureName = (typeof FIGURES)[number];
/** Reads and writes are calls on Weir's own connections; `systemCalls` are known where `strace` is. */
export const FIGURES = ["reads", "writes", "heapBytes", "bufferBytes", "systemCalls"] as const;

/** Batches at most; the noise of any machine spares one of them, and a busy one compiles late. */
const BATCHES_MAX = 40;
/** Code is compiled and buffers have grown after the warm-up; a trace slows everything down. */
const PACE = { untraced: { warmUp: 3000, batch: 500 }, traced: { warmUp: 300, batch: 100 } } as const;

/** Ends early, with what it has, when that is enough. */
export interface Enough {
  (counts: Counts): boolean;
}

/** Every figure but the system calls. */
export async function countCalls(listener: ListenerName, name: SceneName, enough: Enough): Promise<Counts> {
  const { warmUp, batch } = PACE.untraced;
  return await withGuarded(listener, SCENES[name], null, async (weir) => {
    await exchange(weir.port, SCENES[name], warmUp);
    let least: Counts = {};
    for (let batches = 0; batches < BATCHES_MAX && !(batches > 0 && enough(least)); batches++) {
      await weir.begin("heap");
      await exchange(weir.port, SCENES[name], batch);
      const { reads, writes, heapBytes } = await weir.end();
      await weir.begin("buffers");
      await exchange(weir.port, SCENES[name], batch);
      const { bufferBytes } = await weir.end();
      least = lesser(least, perExchange({ reads, writes, heapBytes, bufferBytes }, batch));
    }
    return least;
  });
}

/** The system calls, from a trace. */
export async function countSystemCalls(
  listener: ListenerName,
  name: SceneName,
  enough: Enough,
): Promise<Counts> {
  await using folder = await TemporaryFolder.make();
  const trace = folder.at("trace");
  const { warmUp, batch } = PACE.traced;
  return await withGuarded(listener, SCENES[name], trace, async (weir) => {
    await exchange(weir.port, SCENES[name], warmUp);
    let least: Counts = {};
    for (let batches = 0; batches < BATCHES_MAX && !(batches > 0 && enough(least)); batches++) {
      await weir.begin("heap");
      await exchange(weir.port, SCENES[name], batch);
      await weir.end();
      const systemCalls = systemCallsOf(await Deno.readTextFile(trace)).at(-1) ?? NaN;
      least = lesser(least, perExchange({ systemCalls }, batch));
    }
    return least;
  });
}

async function withGuarded(
  listener: ListenerName,
  { answer }: Scene,
  trace: string | null,
  count: (weir: Guarded) => Promise<Counts>,
): Promise<Counts> {
  await using origin = new Origin(answer);
  await using weir = await Guarded.start(listener, origin.url, trace);
  return await count(weir);
}

function perExchange(counts: Counts, exchanges: number): Counts {
  return mapFigures((figure) => counts[figure] === undefined ? undefined : counts[figure] / exchanges);
}

/** Figure by figure. */
export function lesser(one: Counts, other: Counts): Counts {
  return mapFigures((figure) => {
    const values = [one[figure], other[figure]].filter((value) => value !== undefined);
    return values.length === 0 ? undefined : Math.min(...values);
  });
}

function mapFigures(of: (figure: FigureName) => number | undefined): Counts {
  const counts: Partial<Record<FigureName, number>> = {};
  for (const figure of FIGURES) {
    const value = of(figure);
    if (value !== undefined) counts[figure] = value;
  }
  return counts;
}
