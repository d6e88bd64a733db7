// How Weir is started in the benchmark: exactly as `deno task start` starts it, with the same flags and
// permissions, and leave to read what the benchmark writes for it. They are read from `deno.json`, so the benchmark
// cannot drift from what users run.

/**
 * The start task's command, with this Deno; like the task itself, it is run in the repository's root.
 * @throws when `deno.json` has no such task.
 */
export async function weirCommand(readable: string): Promise<string[]> {
  const config = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
  const task: string | { command?: string } = config.tasks?.start ?? "";
  const words = startWords(typeof task === "string" ? task : task.command ?? "");
  const read = words.map((word) => word.startsWith("--allow-read=") ? `${word},${readable}` : word);
  return [Deno.execPath(), "run", ...read];
}

/** @throws when this Weir has no such listener, since it would answer through another one. */
export async function requireListener(name: string): Promise<void> {
  const file = new URL(`../src/listener/${name}.ts`, import.meta.url);
  await Deno.stat(file).catch(() => {
    throw new Error(`this Weir has no ${name} listener`);
  });
}

/**
 * What follows `deno run` in a task that runs `src/main.ts`; quotes group, as in a shell.
 * @throws when it does not.
 */
export function startWords(task: string): string[] {
  const words = [...task.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replace(/["']/g, "")
  );
  const [deno, run, ...rest] = words;
  if (deno === "deno" && run === "run" && rest.includes("src/main.ts")) return rest;
  throw new Error("deno.json has no start task of the form: deno run ... src/main.ts ...");
}
