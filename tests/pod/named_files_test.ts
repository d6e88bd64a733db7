// Files that the configuration names and that cannot be used: all of them in one answer, each with key and place.

import { assertEquals, assertRejects } from "@std/assert";
import { renderFinding } from "../../src/config/findings.ts";
import { FilesRefusedError, readPodFiles } from "../../src/pod/pod_files.ts";
import { loaded } from "../config/helpers.ts";
import { Authority } from "../support/certificates.ts";

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

/** What reading finds wrong where files have these texts and no others are there. */
async function refusals(files: Record<string, string>, withListener: boolean): Promise<string[]> {
  const readTextFile = (path: string) =>
    path in files ? Promise.resolve(files[path]!) : Promise.reject(new Deno.errors.NotFound());
  const whole = await loaded({ file: TEXT });
  const error = await assertRejects(
    () => readPodFiles(whole, { stickyKey: "", readTextFile }, { withListener }),
    FilesRefusedError,
  );
  return error.findings.map(renderFinding);
}

Deno.test("readPodFiles() gives each upstream what its files hold", async () => {
  await using authority = await Authority.create();
  const { cert, key } = await authority.issue();
  const files = new Map([["ca.pem", authority.cert], ["c.pem", cert], ["d.pem", key]]);
  const { upstreamTls } = await readPodFiles(
    await loaded({ file: TEXT.replace(/^stickyKeyFile.*\n/, "") }),
    { stickyKey: "", readTextFile: (path) => Promise.resolve(files.get(path)!) },
    { withListener: false },
  );
  assertEquals(Object.fromEntries(upstreamTls), {
    one: { caCerts: [authority.cert], cert, key },
    two: { caCerts: [] },
  });
});

const missing = (name: string) => `is ${name}, which cannot be read: there is no such file`;

Deno.test("readPodFiles() names every file that it cannot read, with its key and place", async () => {
  assertEquals(await refusals({}, true), [
    `stickyKeyFile ${missing("key")} (config.yaml:1:16)`,
    `listen.tls.certFile ${missing("a.pem")} (config.yaml:3:20)`,
    `listen.tls.keyFile ${missing("b.pem")} (config.yaml:3:36)`,
    `upstreams.one.tls.caFile ${missing("ca.pem")} (config.yaml:8:15)`,
    `upstreams.one.tls.certFile ${missing("c.pem")} (config.yaml:9:17)`,
    `upstreams.one.tls.keyFile ${missing("d.pem")} (config.yaml:10:16)`,
  ]);
});

Deno.test("readPodFiles() names every file that does not hold what it should, without what is in it", async () => {
  const secret = "s3cret";
  const files = { key: " \n", "ca.pem": secret, "c.pem": secret, "d.pem": secret };
  const noChain = "the certificate file holds no PEM certificate";
  assertEquals(await refusals(files, false), [
    "stickyKeyFile is key, which cannot be used: it is empty, must hold the key that signs sticky cookies (config.yaml:1:16)",
    `upstreams.one.tls.caFile is ca.pem, which cannot be used: ${noChain} (config.yaml:8:15)`,
    `upstreams.one.tls.certFile is c.pem, which cannot be used: ${noChain} (config.yaml:9:17)`,
    "upstreams.one.tls.keyFile is d.pem, which cannot be used: the key file holds no PEM private key (config.yaml:10:16)",
  ]);
});

Deno.test("readPodFiles() refuses a file that is longer than what is read of it", async () => {
  const rest = { "ca.pem": "x", "c.pem": "x", "d.pem": "x" };
  // What counts is bytes: \u00e9 is two.
  for (const key of ["0123456789abcdef".padEnd(1_048_577), "0123456789abcd\u00e9".padEnd(1_048_576)]) {
    assertEquals(
      (await refusals({ key, ...rest }, false))[0],
      "stickyKeyFile is key, which cannot be used: it is larger than 1 MiB (config.yaml:1:16)",
    );
  }
});
