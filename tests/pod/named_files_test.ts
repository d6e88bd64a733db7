// Files that the configuration names and that cannot be used: all of them in one answer, each with key and place.

import { assertEquals, assertRejects } from "@std/assert";
import { renderFinding } from "../../src/config/findings.ts";
import { loadConfig, type Loaded } from "../../src/config/load.ts";
import { FilesRefusedError, readPodFiles } from "../../src/pod/pod_files.ts";

const TEXT = `stickyKeyFile: key
listen:
  tls: { certFile: a.pem, keyFile: b.pem }
upstreams:
  one:
    endpoints: ["https://10.0.0.1"]
    tls:
      caFile: ca.pem
      certFile: c.pem
      keyFile: d.pem
  two:
    endpoints: ["http://10.0.0.2"]
routes:
  - upstream: one
`;

async function load(): Promise<Loaded> {
  const readTextFile = () => Promise.resolve(TEXT);
  const loaded = await loadConfig({ args: ["--config", "weir.yaml"], env: {}, readTextFile });
  if (!loaded.ok) throw new Error(loaded.findings.map(renderFinding).join("\n"));
  return loaded;
}

/** What reading finds wrong where files have these texts and no others are there. */
async function refusals(files: Record<string, string>, withListener: boolean): Promise<string[]> {
  const readTextFile = (path: string) =>
    path in files ? Promise.resolve(files[path]!) : Promise.reject(new Deno.errors.NotFound());
  const loaded = await load();
  const error = await assertRejects(
    () => readPodFiles(loaded, { stickyKey: "", readTextFile }, { withListener }),
    FilesRefusedError,
  );
  return error.findings.map(renderFinding);
}

const missing = (name: string) => `is ${name}, which cannot be read: there is no such file`;

Deno.test("readPodFiles() names every file that it cannot read, with its key and place", async () => {
  assertEquals(await refusals({}, true), [
    `stickyKeyFile ${missing("key")} (weir.yaml:1:16)`,
    `listen.tls.certFile ${missing("a.pem")} (weir.yaml:3:20)`,
    `listen.tls.keyFile ${missing("b.pem")} (weir.yaml:3:36)`,
    `upstreams.one.tls.caFile ${missing("ca.pem")} (weir.yaml:8:15)`,
    `upstreams.one.tls.certFile ${missing("c.pem")} (weir.yaml:9:17)`,
    `upstreams.one.tls.keyFile ${missing("d.pem")} (weir.yaml:10:16)`,
  ]);
});

Deno.test("readPodFiles() names every file that does not hold what it should, without what is in it", async () => {
  const secret = "s3cret";
  const files = { key: " \n", "ca.pem": secret, "c.pem": secret, "d.pem": secret };
  const noChain = "the certificate file holds no PEM certificate";
  assertEquals(await refusals(files, false), [
    "stickyKeyFile is key, which cannot be used: it is empty, must hold the key that signs sticky cookies (weir.yaml:1:16)",
    `upstreams.one.tls.caFile is ca.pem, which cannot be used: ${noChain} (weir.yaml:8:15)`,
    `upstreams.one.tls.certFile is c.pem, which cannot be used: ${noChain} (weir.yaml:9:17)`,
    "upstreams.one.tls.keyFile is d.pem, which cannot be used: the key file holds no PEM private key (weir.yaml:10:16)",
  ]);
});

Deno.test("readPodFiles() refuses a file that is longer than what is read of it", async () => {
  const rest = { "ca.pem": "x", "c.pem": "x", "d.pem": "x" };
  // What counts is bytes: \u00e9 is two.
  for (const key of ["0123456789abcdef".padEnd(1_048_577), "0123456789abcd\u00e9".padEnd(1_048_576)]) {
    assertEquals(
      (await refusals({ key, ...rest }, false))[0],
      "stickyKeyFile is key, which cannot be used: it is larger than 1 MiB (weir.yaml:1:16)",
    );
  }
});
