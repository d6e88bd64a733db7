// Changing the configuration of a running Weir, as an operator's editor does.

import { until } from "./until.ts";
import type { RunningWeir } from "./weir.ts";

/** Replaces the file, and waits for what Weir says of it. @returns Weir's words */
export async function rewrite(weir: RunningWeir, config: Record<string, unknown> | string): Promise<string> {
  const said = () => weir.stdout.filter((line) => line.includes('"event":"reload"'));
  const before = said().length;
  const text = typeof config === "string" ? config : JSON.stringify(config);
  await Deno.writeTextFile(`${weir.configPath}.new`, text);
  await Deno.rename(`${weir.configPath}.new`, weir.configPath!);
  await until("the reload is told", () => said().length > before);
  return JSON.parse(said().at(-1)!).text;
}
