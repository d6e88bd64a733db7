import { assertEquals, assertRejects } from "@std/assert";
import { loadConfig } from "../../src/config/load.ts";
import { loadConfigApart } from "../../src/config/load_apart.ts";
import type { Loaded, LoadInputs, Refused } from "../../src/config/loading.ts";

const FILE = `
accessLog: errors
upstreams:
  api:
    endpoints: [http://127.0.0.1:1, "http://127.0.0.1:2;weight=3"]
    balance: least_request
routes:
  - {match: {path: /api/*}, upstream: api}
`;

/** Every path that a finding could be about, and some that nobody wrote. */
const PATHS = [
  [],
  ["listen", "port"],
  ["accessLog"],
  ["accessLog", "format"],
  ["upstreams", "api"],
  ["upstreams", "api", "balance", "policy"],
  ["upstreams", "api", "endpoints", 1],
  ["upstreams", "api", "tls", "caFile"],
  ["routes", 0, "match", "host"],
];

/** All that is said of a configuration, also by its functions. */
function told(result: Loaded | Refused) {
  if (!result.ok) return result;
  const { placeOf, ...rest } = result;
  return { ...rest, places: PATHS.map((path) => [placeOf(path), placeOf(path, "key")]) };
}

for (
  const [name, sources] of Object.entries<Partial<LoadInputs> & { file?: string }>({
    "a file and flags over it": { file: FILE, args: ["--port", "81"], env: { HOST: "::", CONFIG: "f.yaml" } },
    "variables alone": { env: { UPSTREAMS: "http://127.0.0.1:1", BALANCE: "peak_ewma" } },
    "nothing but the caller's own upstream": { fallbackUpstreams: ["http://127.0.0.1:1"] },
    "a file that is refused": { file: FILE + "listn: {}\n", env: { CONFIG: "f.yaml", PORT: "x" } },
    "no YAML": { file: "a: [", env: { CONFIG: "f.yaml" } },
    "no such file": { args: ["--config", "f.yaml"] },
  })
) {
  Deno.test(`loadConfigApart() says what loadConfig() says of ${name}`, async () => {
    const { file, ...rest } = sources;
    const readTextFile = async () => {
      if (file === undefined) throw new Deno.errors.NotFound();
      return file;
    };
    const inputs: LoadInputs = { args: [], env: {}, readTextFile, ...rest };
    assertEquals(told(await loadConfigApart(inputs)), told(await loadConfig(inputs)));
  });
}

Deno.test("loadConfigApart() rejects what cannot be handed over", async () => {
  const noText = (() => {}) as unknown as string;
  const readTextFile = async () => "";
  const loading = loadConfigApart({ args: [], env: {}, readTextFile, fallbackUpstreams: [noText] });
  await assertRejects(() => loading, DOMException);
});
