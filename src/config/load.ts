// The one way to a configuration: flags > environment > file > defaults, or every reason why there is none.
//
// Called by the commands in `cli/`, and for the pod at each reload. Reads the file it is pointed to and
// nothing else; never throws, prints or exits. What is refused is refused with all findings of all sources
// at once, also those of a value that a stronger source overrides: it would come back with the next change.

import { mustBe } from "./accepted_form.ts";
import { readConfigFile, type ReadTextFile } from "./file.ts";
import type { Finding, PlaceOf } from "./findings.ts";
import { headFieldFindings } from "./head_fields.ts";
import { schemasAt, shorthands } from "./json_schema.ts";
import { isMap, mapAt, type Path, pathText, valueAt, withValueAt } from "./path.ts";
import { relationFindings } from "./relations.ts";
import { type Config, configSchema } from "./schema.ts";
import { shapeFindings } from "./shape.ts";
import {
  defaultUpstream,
  type Origin,
  readFlags,
  readVariables,
  renderOrigin,
  settings,
  type SetValue,
} from "./sources.ts";
import { valueFindings } from "./values.ts";
import { type ConfigTree, parseConfigText } from "./yaml_tree.ts";

export interface LoadInputs {
  /** The command line after the command. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly readTextFile: ReadTextFile;
  /** Endpoints of the upstream `default` when no source names any upstream. */
  readonly fallbackUpstreams?: readonly string[];
}

export interface Loaded {
  readonly ok: true;
  readonly config: Config;
  /** Where each value of `config` came from, by its path (`listen.port`, `routes[0].upstream`). */
  readonly origins: ReadonlyMap<string, Origin>;
  /** `config.yaml:12:17`, `variable PORT`, `flag --port` or `default`: for findings about this configuration. */
  readonly placeOf: PlaceOf;
  /** The configuration file as it was named, and its text. */
  readonly file?: string;
  readonly text?: string;
}

export interface Refused {
  readonly ok: false;
  readonly findings: readonly Finding[];
}

/** One source's contribution. */
interface Layer {
  readonly input: unknown;
  readonly placeOf: PlaceOf;
  /** All that it says stands below this. */
  readonly below: Path;
}

const emptyTree: ConfigTree = { value: {}, placeOf: () => "default", findings: [] };

/** Reads all sources. Resolves to a configuration that is whole and consistent, or to all findings. */
export async function loadConfig(inputs: LoadInputs): Promise<Loaded | Refused> {
  const { values: flags, findings: flagFindings } = readFlags(inputs.args);
  const variables = readVariables(inputs.env);
  const { tree, ...fileParts } = await readFile([...flags, ...variables], inputs.readTextFile);
  const chosen = strongest(flags, variables, tree, inputs.fallbackUpstreams);
  const merged = merge(tree.value, chosen);
  const origins = new OriginFinder(chosen, tree);
  const placeOf: PlaceOf = (path, of) => {
    const origin = origins.ofAny(path);
    return origin.kind === "default" ? tree.placeOf(path, of) : renderOrigin(origin);
  };
  const findings = [
    ...flagFindings,
    ...[...flags, ...variables].map(layerOf).flatMap(layerFindings),
    ...tree.findings,
    ...byPlace(layerFindings({ input: tree.value, placeOf: tree.placeOf, below: [] })),
    ...sourceFindings(tree, [...flags, ...variables]),
    ...relationFindings(merged, { placeOf, stickyKey: inputs.env["WEIR_STICKY_KEY"]?.trim() ?? "" }),
  ];
  const parsed = configSchema.safeParse(merged);
  if (findings.length > 0) return { ok: false, findings: withoutRepeats(findings) };
  // Each layer alone is right, so that nothing is left that could be wrong together but a missing key.
  if (!parsed.success) return { ok: false, findings: shapeFindings(merged, placeOf) };
  return { ok: true, config: parsed.data, origins: origins.ofAll(parsed.data), placeOf, ...fileParts };
}

async function readFile(values: readonly SetValue[], readTextFile: ReadTextFile) {
  const named = values.find(({ setting }) => setting.path.length === 0);
  if (named === undefined) return { tree: emptyTree };
  const file = String(named.value);
  const text = await readConfigFile(file, readTextFile);
  if (typeof text === "string") return { tree: expandShorthands(parseConfigText(text, file)), file, text };
  const finding: Finding = { ...text, subject: file, place: renderOrigin(named.origin) };
  return { tree: { ...emptyTree, findings: [finding] } };
}

/** `balance: least_request` becomes `balance: {policy: least_request}`, so that sources meet in one form. */
function expandShorthands(tree: ConfigTree): ConfigTree {
  let value = tree.value;
  const wordOf = new Map<string, Path>();
  for (const { path, key } of shorthands) {
    value = changedAt(value, path, [], (word, at) => {
      if (typeof word !== "string") return word;
      wordOf.set(pathText([...at, key]), at);
      return { [key]: word };
    });
  }
  const placeOf: PlaceOf = (path, of) => tree.placeOf(wordOf.get(pathText(path)) ?? path, of);
  return { ...tree, value, placeOf };
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
  fallback: readonly string[] = [],
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
    isMap(valueAt(tree.value, ["upstreams", defaultUpstream]));
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
  const judges = [shapeFindings, valueFindings, headFieldFindings];
  return judges.flatMap((findingsOf) => findingsOf(input, placeOf))
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
    } else if (setting.path.at(-1) === "policy" && !upstreams.includes(defaultUpstream)) {
      const state = `is for the upstream ${defaultUpstream}, which the file does not have`;
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

/** Tells for each path of the effective configuration which source it is from. */
class OriginFinder {
  constructor(private readonly chosen: readonly SetValue[], private readonly tree: ConfigTree) {}

  /** The source of the value at `path`; the default where none wrote it. */
  ofAny(path: Path): Origin {
    const set = this.chosen.find(({ setting }) => setting.path.every((step, i) => path[i] === step));
    if (set !== undefined) return set.origin;
    if (valueAt(this.tree.value, path) === undefined) return { kind: "default" };
    return { kind: "file", place: this.tree.placeOf(path) };
  }

  /** The same for every value and list, and for maps that are empty. */
  ofAll(value: unknown, path: Path = [], origins = new Map<string, Origin>()): Map<string, Origin> {
    const children = isMap(value) ? Object.entries(value) : Array.isArray(value) ? [...value.entries()] : [];
    if (!isMap(value) || children.length === 0) origins.set(pathText(path), this.ofAny(path));
    for (const [step, child] of children) this.ofAll(child, [...path, step], origins);
    return origins;
  }
}
