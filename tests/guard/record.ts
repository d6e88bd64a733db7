// `deno task guard:record`: counts anew what an exchange costs, and writes it to `recorded.ts`.

import {
  countCalls,
  type Counts,
  countSystemCalls,
  type FigureName,
  FIGURES,
  SCENE_NAMES,
} from "./counts.ts";

const FILE = new URL("./recorded.ts", import.meta.url);
const HEAD =
  `// What one exchange costs on each listener, at most: written by \`deno task guard:record\`, checked by
// \`counts_test.ts\`. A change that makes Weir leaner records anew; one that makes it fatter has to say why.

import type { Recorded } from "./limit.ts";

export const RECORDED: Recorded = `;

const listeners: string[] = [];
for (const listener of ["serve", "wire"] as const) {
  const scenes: string[] = [];
  for (const scene of SCENE_NAMES) {
    // Never enough: all batches are run.
    const counts = {
      ...await countCalls(listener, scene, () => false),
      ...await countSystemCalls(listener, scene, () => false),
    };
    scenes.push(`${JSON.stringify(scene)}: { ${fields(counts)} },`);
    console.log(`${listener}: ${scenes.at(-1)}`);
  }
  listeners.push(`${listener}: {\n${scenes.join("\n")}\n},`);
}
await Deno.writeTextFile(FILE, `${HEAD}{\n${listeners.join("\n")}\n};\n`);
await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", FILE.pathname] }).output();

function fields(counts: Counts): string {
  return FIGURES.map((figure) => `${figure}: ${rounded(figure, counts[figure] ?? NaN)}`).join(", ");
}

function rounded(figure: FigureName, value: number): number {
  return figure.endsWith("Bytes") ? Math.round(value) : Math.round(value * 100) / 100;
}
