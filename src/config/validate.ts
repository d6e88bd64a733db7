// What an operator wrote, validated: flags > environment > file > defaults make a configuration, or there is every
// reason why they make none.
//
// Pure: text in, plain data out, as it is asked from another thread, too (`load_apart.ts`). What is refused is refused with
// all findings of all sources at once, also those of a value that a stronger source overrides: it would come back with
// the next change.

import { mustBe } from "./accepted_form.ts";
import type { Finding, PlaceOf, Problem } from "./findings.ts";
import { headFieldFindings } from "./head_fields.ts";
import { schemasAt, shorthands } from "./json_schema.ts";
import { isMap, mapAt, type Path, pathText, valueAt, withValueAt } from "./path.ts";
import { noPlaces, placeFinder, type Provenance } from "./provenance.ts";
import { relationFindings } from "./relations.ts";
import { type Config, configSchema } from "./schema.ts";
import { shapeFindings } from "./shape.ts";
import { DEFAULT_UPSTREAM, readFlags, renderOrigin, settings, type SetValue } from "./sources.ts";
import { valueFindings } from "./values.ts";
import { readVariables } from "./variables.ts";
import { type ConfigTree, makeTree, parseConfigText } from "./yaml_tree.ts";

export interface ValidateInputs {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly fallbackUpstreams: readonly string[];
  /** The configuration file, who named it, and its text or why there is none; null where none is named. */
  readonly file: { readonly name: string; readonly namedBy: string; readonly read: string | Problem } | null;
}

export type Validated =
  | { readonly ok: true; readonly config: Config; readonly provenance: Provenance }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** One source's contribution. */
interface Layer {
  readonly input: unknown;
  readonly placeOf: PlaceOf;
  /** All that it says stands below this. */
  readonly below: Path;
}

/** Validates all sources together. */
export function validate({ args, env, fallbackUpstreams, file }: ValidateInputs): Validated {
  const { values: flags, findings: flagFindings } = readFlags(args);
  const { values: variables, findings: variableFindings } = readVariables(env);
  const tree = treeOf(file);
  const chosen = strongest(flags, variables, tree, fallbackUpstreams);
  const merged = merge(tree.value, chosen);
  const provenance = {
    set: chosen.map(({ setting, origin }) => ({ path: setting.path, origin })),
    places: tree.places,
  };
  const placeOf = placeFinder(provenance);
  const findings = [
    ...flagFindings,
    ...variableFindings,
    ...[...flags, ...variables].map(layerOf).flatMap(layerFindings),
    ...tree.findings,
    ...byPlace(layerFindings({ input: tree.value, placeOf: tree.placeOf, below: [] })),
    ...sourceFindings(tree, [...flags, ...variables]),
    ...relationFindings(merged, { placeOf, stickyKey: env["WEIR_STICKY_KEY"]?.trim() ?? "" }),
  ];
  const parsed = configSchema.safeParse(merged);
  if (findings.length > 0) return { ok: false, findings: withoutRepeats(findings) };
  // Each layer alone is right, so that nothing is left that could be wrong together but a missing key.
  if (!parsed.success) return { ok: false, findings: shapeFindings(merged, placeOf) };
  return { ok: true, config: parsed.data, provenance };
}

function treeOf(file: ValidateInputs["file"]): ConfigTree {
  if (file === null) return makeTree({}, noPlaces("default"));
  const { name, namedBy, read } = file;
  if (typeof read === "string") return expandShorthands(parseConfigText(read, name));
  return makeTree({}, noPlaces("default"), [{ ...read, subject: name, place: namedBy }]);
}

/** `balance: least_request` becomes `balance: {policy: least_request}`, so that sources meet in one form. */
function expandShorthands(tree: ConfigTree): ConfigTree {
  let value = tree.value;
  const { values } = tree.places;
  for (const { path, key } of shorthands) {
    value = changedAt(value, path, [], (word, at) => {
      if (typeof word !== "string") return word;
      values.set(pathText([...at, key]), tree.placeOf(at));
      return { [key]: word };
    });
  }
  return { ...tree, value };
}

/** `value`, which stands at `at`, with what stands below it as a pattern says changed; `*` is every key of a map. */
function changedAt(
  value: unknown,
  [step, ...rest]: Path,
  at: Path,
  change: (value: unknown, at: Path) => unknown,
): unknown {
  if (step === undefined) return change(value, at);
  if (!isMap(value) || step !== "*" && !Object.hasOwn(value, step)) return value;
  const changed = { ...value };
  for (const key of step === "*" ? Object.keys(value) : [step]) {
    changed[key] = changedAt(value[key], rest, [...at, key], change);
  }
  return changed;
}

/** Flags over variables over the fallback; at most one value for each setting. */
function strongest(
  flags: SetValue[],
  variables: SetValue[],
  tree: ConfigTree,
  fallback: readonly string[],
) {
  const chosen = settings.flatMap((setting) => {
    const set = [...flags, ...variables].find((value) => value.setting === setting);
    return set === undefined || setting.path.length === 0 ? [] : [set];
  });
  const endpoints = settings.find((setting) => setting.path.at(-1) === "endpoints")!;
  const named = chosen.some(({ setting }) => setting === endpoints) ||
    valueAt(tree.value, ["upstreams"]) !== undefined;
  if (!named && fallback.length > 0) {
    chosen.push({ setting: endpoints, value: [...fallback], origin: { kind: "fallback" } });
  }
  // With no upstream at all there is nothing for BALANCE to set; the caller decides what becomes of that.
  const anyDefault = chosen.some(({ setting }) => setting === endpoints) ||
    isMap(valueAt(tree.value, ["upstreams", DEFAULT_UPSTREAM]));
  return anyDefault ? chosen : chosen.filter(({ setting }) => setting.path[0] !== "upstreams");
}

function merge(file: unknown, values: readonly SetValue[]): unknown {
  return values.reduce((input, { setting, value }) => withValueAt(input, setting.path, value), file);
}

function layerOf({ setting, value, origin }: SetValue): Layer {
  const input = setting.path.length === 0 ? {} : withValueAt({}, setting.path, value);
  return { input, placeOf: () => renderOrigin(origin), below: setting.path };
}

function layerFindings({ input, placeOf, below }: Layer): Finding[] {
  if (!isMap(input)) {
    const accepted = mustBe(schemasAt([])) ?? "";
    return [{ subject: "the configuration file", state: "holds no keys", accepted, place: placeOf([]) }];
  }
  const subject = pathText(below);
  const checks = [shapeFindings, valueFindings, headFieldFindings];
  return checks.flatMap((findingsOf) => findingsOf(input, placeOf))
    .filter((finding) => finding.subject.startsWith(subject));
}

/** Sources that must not speak of the same thing, or speak of what is not there. */
function sourceFindings(tree: ConfigTree, values: readonly SetValue[]): Finding[] {
  const upstreams = Object.keys(mapAt(tree.value, ["upstreams"]));
  if (upstreams.length === 0) return [];
  const findings: Finding[] = [];
  for (const { setting, origin } of values) {
    const place = renderOrigin(origin);
    if (setting.path.at(-1) === "endpoints") {
      const state = `is set here and upstreams at ${
        tree.placeOf(["upstreams"], "key")
      }, whose changes would never show`;
      findings.push({ subject: place, state, accepted: "must be written in one of the two", place });
    } else if (setting.path.at(-1) === "policy" && !upstreams.includes(DEFAULT_UPSTREAM)) {
      const state = `is for the upstream ${DEFAULT_UPSTREAM}, which the file does not have`;
      findings.push({
        subject: place,
        state,
        accepted: "must be written in the file: upstreams.<name>.balance",
        place,
      });
    }
  }
  return findings;
}

function byPlace(findings: Finding[]): Finding[] {
  const placed = findings.map((finding) => {
    const [line = 0, column = 0] = finding.place.split(":").slice(-2).map(Number);
    return { finding, line, column };
  });
  placed.sort((a, b) => a.line - b.line || a.column - b.column);
  return placed.map(({ finding }) => finding);
}

function withoutRepeats(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}
