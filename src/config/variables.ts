// What environment variables set, by the table of `sources.ts`.
//
// Pure. One that stands in quotes, as an env file or a manifest may pass it on, sets nothing: it is refused once, and not
// again for each address or network in it.

import type { Finding } from "./findings.ts";
import { settings, type SetValue } from "./sources.ts";

/** What the variables set, and which of them cannot. An empty one, or one of white space, counts as not set. */
export function readVariables(
  env: Readonly<Record<string, string>>,
): { values: SetValue[]; findings: Finding[] } {
  const findings: Finding[] = [];
  const values = settings.flatMap((setting): SetValue[] => {
    const { variable: name } = setting;
    const value = env[name]?.trim() ?? "";
    if (value === "") return [];
    if (!/^["'].*["']$/s.test(value)) {
      return [{ setting, value: setting.read(value), origin: { kind: "variable", name } }];
    }
    const accepted = "must stand without them: an env file or a manifest has passed them on";
    findings.push({ subject: name, state: "stands in quotes", accepted, place: `variable ${name}` });
    return [];
  });
  return { values, findings };
}
