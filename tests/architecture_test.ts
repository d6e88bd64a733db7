// The walls of src/ as docs/architecture.md draws them, read from the source itself: which room may stand on
// which, what may be said only in one place, and how long files and functions get.

import { assert, assertEquals } from "@std/assert";

const SRC = new URL("../src/", import.meta.url);
const FILE_LINES_MAX = 250;
const FUNCTION_LINES_MAX = 60;

const BOTTOM = [
  "exchange",
  "messages",
  "timer_wheel",
  "rolling_max",
  "timeout",
  "loop_clock",
  "loop_turn",
  "pod_time",
  "error_message",
  "node_crypto",
  "http1",
  "board",
  "config",
  "routing",
];
const DATA_PLANE = ["upstream", "balance", "proxy", "listener", "event_loop", "worker"];
const CONTROL_PLANE = ["control", "admin", "pod"];

/** Room -> what it may import beside itself; a room is a folder of src/ or a file directly in it. */
const STANDS_ON: Record<string, readonly string[]> = {
  ...Object.fromEntries(BOTTOM.map((room) => [room, BOTTOM])),
  // Reasons over a configuration, by the router that traffic gets.
  lint: BOTTOM,
  upstream: BOTTOM,
  balance: [...BOTTOM, "upstream"],
  tracing: [...BOTTOM, "version"],
  proxy: [...BOTTOM, "upstream", "balance", "tracing"],
  listener: BOTTOM,
  event_loop: [...BOTTOM, "upstream", "balance", "proxy", "listener", "tracing"],
  worker: [...BOTTOM, "event_loop", "tracing"],
  control: [...BOTTOM, "upstream/connection", "upstream/dial", "upstream/tls", "upstream/tls_silence"],
  admin: [...BOTTOM, "version", "tracing"],
  // Joins the control plane's parts into the one that runs.
  pod: [...BOTTOM, "lint", "control", "admin", "version"],
  // The commands: a running pod, or a question to one over the client that upstreams get, in the admin server's form.
  cli: [
    ...BOTTOM,
    "lint",
    "admin/explain",
    "upstream/connection",
    "upstream/dial",
    "control",
    "pod",
    "samples",
    "version",
  ],
  version: [],
  // The decision core in virtual time: only what decides, nothing that opens a socket or a timer.
  simulate: [...BOTTOM, "balance", "proxy", "control"],
  samples: [],
};

/** What only these files may say, and why. */
const SAID_ONCE: readonly { says: RegExp; only: readonly string[]; because: string }[] = [
  { says: /\bDeno\.exit\(/, only: ["main.ts"], because: "main.ts decides when the process ends" },
  { says: /\bDeno\.addSignalListener\(/, only: ["main.ts"], because: "one place handles signals" },
  { says: /\bDeno\.env\b/, only: ["main.ts"], because: "the environment is configuration" },
  {
    says: /\bnew (Request|Response)\(|: (Request|Response)\b/,
    only: ["listener/serve", "admin/", "control/discovery/", "samples/"],
    because: "the core knows nothing of Request and Response",
  },
  { says: /\bfetch\(/, only: ["control/discovery/"], because: "fetch re-sends and rewrites behind our back" },
];

interface Source {
  /** Relative to src/. */
  readonly path: string;
  readonly room: string;
  readonly lines: readonly string[];
  /** Relative to src/. */
  readonly imports: readonly string[];
  /** Those of `imports` that are more than types. */
  readonly runs: readonly string[];
  /** Those of `runs` that are loaded at once, not when they are needed. */
  readonly loads: readonly string[];
}

const sources = readSources(SRC, "");
/** All that other files stand on. */
const kept = [
  ...sources,
  ...readSources(new URL("../bench/", import.meta.url), "bench/"),
  ...readSources(new URL("./support/", import.meta.url), "tests/support/"),
];

Deno.test("every room of src/ stands only on the rooms below it", () => {
  const wrong = sources.filter(({ room }) => room !== "main").flatMap(({ path, room, imports }) =>
    imports.filter((target) => roomOf(target) !== room && !allowed(room, target)).map((target) =>
      `${path} -> ${target}`
    )
  );
  assertEquals(wrong, []);
});

Deno.test("every room of src/ has its place in the order", () => {
  const rooms = new Set(sources.map(({ room }) => room).filter((room) => room !== "main"));
  assertEquals([...rooms].filter((room) => !(room in STANDS_ON)), []);
  const ordered = [...Object.keys(STANDS_ON), ...DATA_PLANE, ...CONTROL_PLANE];
  assertEquals(ordered.filter((room) => !rooms.has(room)), [], "there is no such room");
});

Deno.test("docs/architecture.md says of every room of src/ what it is, and of no other", async () => {
  const page = await Deno.readTextFile(new URL("../docs/architecture.md", import.meta.url));
  const rows = page.split("\n").filter((line) => line.startsWith("| `"));
  const told = rows.flatMap((row) =>
    [...row.matchAll(/`([a-z0-9_]+)(?:\/|\.ts)`/g)].map(([, room]) => room!)
  );
  assertEquals(told.sort(), [...new Set(sources.map(({ room }) => room))].sort());
});

Deno.test("the two planes never import each other", () => {
  for (const [plane, other] of [[DATA_PLANE, CONTROL_PLANE], [CONTROL_PLANE, DATA_PLANE]] as const) {
    const crossing = sources.filter(({ room }) => plane.includes(room)).flatMap(({ path, imports }) =>
      imports.filter((target) => other.includes(roomOf(target)) && !target.startsWith("upstream/")).map((
        target,
      ) => `${path} -> ${target}`)
    );
    assertEquals(crossing, []);
  }
});

Deno.test("neither a worker nor what watches it loads a schema or a parser of files: they are large", () => {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const loaded = new Set(["worker.ts", "main.ts"]);
  for (const path of loaded) for (const next of byPath.get(path)?.loads ?? []) loaded.add(next);
  const heavy = [...loaded].filter((path) =>
    /^import [^;]*"(zod|yaml)";/m.test(byPath.get(path)?.lines.join("\n") ?? "")
  );
  assertEquals(heavy, []);
  assert(loaded.has("proxy/handler.ts") && loaded.has("pod/pod.ts"));
});

Deno.test("no thread loads what Deno takes long to put together before it is needed", () => {
  const wrong = sources.filter(({ lines }) =>
    /^import (?!type )[^;]*"(node:(crypto|tls|process|module|fs|net|http)|ipaddr\.js)";/m.test(
      lines.join("\n"),
    )
  );
  assertEquals(wrong.map(({ path }) => path), []);
});

Deno.test("no file of src/ imports itself round a corner", () => {
  const importsOf = new Map(sources.map(({ path, runs }) => [path, runs]));
  const settled = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    assert(!trail.includes(path), `a circle: ${[...trail.slice(trail.indexOf(path)), path].join(" -> ")}`);
    if (settled.has(path)) return;
    for (const next of importsOf.get(path) ?? []) visit(next, [...trail, path]);
    settled.add(path);
  };
  for (const { path } of sources) visit(path, []);
});

for (const { says, only, because } of SAID_ONCE) {
  Deno.test(`only ${only.join(", ")} may say ${says.source}: ${because}`, () => {
    const sayers = sources.flatMap(({ path, lines }) =>
      lines.flatMap((line, i) => says.test(withoutComment(line)) ? [`${path}:${i + 1}`] : [])
    );
    assertEquals(sayers.filter((sayer) => !only.some((place) => sayer.startsWith(place))), []);
    const silent = only.filter((place) => !sayers.some((sayer) => sayer.startsWith(place)));
    assertEquals(silent, [], "says it no more");
  });
}

Deno.test(`no file of src/, bench/ or tests/support/ is longer than ${FILE_LINES_MAX} lines`, () => {
  const long = kept.filter(({ lines }) => lines.length > FILE_LINES_MAX);
  assertEquals(long.map(({ path, lines }) => `${path}: ${lines.length}`), []);
});

Deno.test(`no function of src/, bench/ or tests/support/ is longer than ${FUNCTION_LINES_MAX} lines`, () => {
  const long = kept.flatMap(({ path, lines }) => longFunctions(lines).map((found) => `${path}:${found}`));
  assertEquals(long, []);
});

Deno.test("every file of src/ opens with its promise", () => {
  const silent = sources.filter(({ lines }) =>
    !/^\/\/ \w/.test(lines.find((line) => !line.startsWith("///")) ?? "")
  );
  assertEquals(silent.map(({ path }) => path), []);
});

function readSources(directory: URL, prefix: string): Source[] {
  return [...Deno.readDirSync(directory)].flatMap(({ name, isDirectory }) => {
    const url = new URL(isDirectory ? `${name}/` : name, directory);
    const path = prefix + name;
    if (isDirectory) return readSources(url, `${path}/`);
    if (!name.endsWith(".ts")) return [];
    const text = Deno.readTextFileSync(url);
    const target = (specifier: string) => new URL(specifier, url).pathname.slice(SRC.pathname.length);
    const importsIn = (code: string) =>
      [...code.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(([, specifier]) => target(specifier!));
    const code = text.replaceAll(/^(import|export) type [^;]*;/gm, "");
    return [{
      path,
      room: roomOf(path),
      lines: text.trimEnd().split("\n"),
      imports: importsIn(text),
      runs: importsIn(code),
      loads: importsIn(code.replaceAll("import(", "")),
    }];
  });
}

function roomOf(path: string): string {
  return path.replace(/(\/.*|\.ts)$/, "");
}

function allowed(room: string, target: string): boolean {
  return (STANDS_ON[room] ?? []).some((place) => place === roomOf(target) || `${place}.ts` === target);
}

function withoutComment(line: string): string {
  return line.replace(/(^|\s)(\/\/|\*|\/\*).*/, "");
}

/** `line: length` of functions and methods over the limit; relies on the formatter's indentation. */
function longFunctions(lines: readonly string[]): string[] {
  return lines.flatMap((line, start) => {
    const opening = /^( *)(?! |(?:if|for|while|switch|class)\b|\}).*\).* \{$/.exec(line);
    if (opening === null) return [];
    const isEnd = (candidate: string) => candidate.startsWith(`${opening[1]}}`);
    const length = lines.slice(start).findIndex(isEnd) + 1;
    return length > FUNCTION_LINES_MAX ? [`${start + 1}: ${length} lines`] : [];
  });
}
