// How Weir is started in the benchmark: exactly as `deno task start` starts it, with the same flags and
// permissions. They are read from `deno.json`, so the benchmark cannot drift from what users run.

/**
 * The words of the start task's `deno run ... src/main.ts`, with this Deno and absolute paths.
 * @throws when `deno.json` has no such task.
 */
export async function weirCommand(): Promise<string[]> {
  const config = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
  const task: string | { command?: string } = config.tasks?.start ?? "";
  const words = startWords(typeof task === "string" ? task : task.command ?? "");
  const root = new URL("..", import.meta.url).pathname;
  return [Deno.execPath(), "run", `--config=${root}deno.json`, ...words, `${root}src/main.ts`];
}

/**
 * What stands between `deno run` and `src/main.ts`; quotes group, as in a shell.
 * @throws when these two are not there.
 */
export function startWords(task: string): string[] {
  const words = [...task.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replace(/["']/g, "")
  );
  const run = words.findIndex((word, at) => word === "run" && words[at - 1] === "deno");
  const main = words.findIndex((word) => /^(\.\/)?src\/main\.ts$/.test(word));
  if (run < 0 || main < run) {
    throw new Error("deno.json has no start task of the form: deno run ... src/main.ts");
  }
  return words.slice(run + 1, main);
}
