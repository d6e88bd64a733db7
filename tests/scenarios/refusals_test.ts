// What an operator got wrong is told at start, all of it, in words, and without a stack trace.

import { assert, assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { runWeir } from "../support/weir.ts";

const HERE = { HOST: "127.0.0.1", ADMIN_HOST: "127.0.0.1", ADMIN_PORT: "0", WORKERS: "1" };
const SOMEWHERE = "http://127.0.0.1:9";

function refusal(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: true, sanitizeResources: true });
}

refusal("without upstreams Weir refuses and says how to give some", async () => {
  const { code, stdout, stderr } = await runWeir(["run"], { ...HERE, PORT: "0" });
  assertEquals(code, 64);
  assertMatch(stdout + stderr, /UPSTREAMS=http:\/\//);
  assertNotMatch(stdout + stderr, /\bat .*\.ts:\d+/);
});

for (const command of ["run", "start", "check"]) {
  refusal(`${command} refuses a file that names no upstreams`, async () => {
    await using folder = await TemporaryFolder.make();
    for (const text of ["", "accessLog: off\n", "upstreams: {}\n"]) {
      const path = await folder.write("weir.yaml", text);
      const { code, stderr } = await runWeir([command], { ...HERE, PORT: "0", CONFIG: path }, path);
      assertEquals(code, 64);
      assertStringIncludes(stderr, `No upstreams: ${path} names none, and Weir has nothing to balance over.`);
    }
  });
}

for (const reusePort of [false, true]) {
  refusal(
    `a port in use is refused, ${reusePort ? "also when its holder shares it" : "with exit 1"}`,
    async () => {
      using holder = Deno.listen({ hostname: "127.0.0.1", port: 0, reusePort });
      const { port } = holder.addr as Deno.NetAddr;
      const { code, stdout, stderr } = await runWeir(["run"], {
        ...HERE,
        PORT: String(port),
        UPSTREAMS: SOMEWHERE,
      });
      assertEquals(code, 1);
      assertStringIncludes(stdout + stderr, String(port));
      assertMatch(stdout + stderr, /in use/i);
      assertNotMatch(stdout + stderr, /\bat .*\.ts:\d+/);
    },
  );
}

refusal("ten mistakes are ten findings in one run", async () => {
  await using folder = await TemporaryFolder.make();
  const path = await folder.write("weir.yaml", TEN_MISTAKES);
  const { code, stdout, stderr } = await runWeir(["check"], { CONFIG: path }, path);
  assertEquals(code, 64);
  const said = stdout + stderr;
  for (const [line, word] of findings) {
    assertMatch(said, new RegExp(`${word}.*:${line}[:)]|:${line}:.*${word}`));
  }
  assertStringIncludes(said, "intervalMs");
  assertNotMatch(said, /\bat .*\.ts:\d+/);
});

refusal("an unknown flag is refused with the nearest known one", async () => {
  const { code, stdout, stderr } = await runWeir(["run", "--upstrem", SOMEWHERE], HERE);
  assertEquals(code, 64);
  assertStringIncludes(stdout + stderr, "--upstream");
});

refusal("check accepts a good configuration and prints where each value came from", async () => {
  const { code, stdout } = await runWeir(["check"], { UPSTREAMS: SOMEWHERE, WORKERS: "2" });
  assertEquals(code, 0);
  assert(/workers.*2.*WORKERS/i.test(stdout), stdout);
});

const TEN_MISTAKES = `listn:
  port: 80
workers: 0
trustedProxies: [10.0.0.0/33]
accessLog: xml
limits:
  inFlightMax: many
upstreams:
  api:
    endpoints: ["http://one:99999", "ftp://two"]
    health:
      intervalMs: 0
      intervall: 5
    balance: random
routes:
  - match: { path: no-slash }
    upstream: apy
`;

/** Line and word of each finding. */
const findings: [line: number, word: string][] = [
  [1, "listn"],
  [3, "workers"],
  [4, "trustedProxies"],
  [5, "accessLog"],
  [7, "inFlightMax"],
  [10, "endpoints"],
  [12, "intervalMs"],
  [13, "intervall"],
  [14, "balance"],
  [16, "path"],
];
