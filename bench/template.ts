// Fills a configuration file of `peers/` or `origins/`: `{{name}}` is a value; a line that holds `{{origin}}`
// is repeated for each origin's port. A name without a value is an error, so that a typing mistake in a
// configuration cannot quietly turn a peer into a slower one.

/** @throws for a name without a value. */
export function fillTemplate(
  template: string,
  values: Readonly<Record<string, string | number>>,
  origins: readonly number[],
): string {
  const fill = (line: string, origin: number | undefined) =>
    line.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
      const value = name === "origin" ? origin : values[name];
      if (value === undefined) throw new Error(`{{${name}}} has no value`);
      return String(value);
    });
  return template.split("\n").flatMap((line) =>
    line.includes("{{origin}}") ? origins.map((port) => fill(line, port)) : [fill(line, undefined)]
  ).join("\n");
}
