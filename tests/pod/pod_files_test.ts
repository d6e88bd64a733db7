// What a pod reads from files: the key of sticky cookies, unless the environment has one, and what TLS needs.

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { fileChanges, type PodFiles, readPodFiles } from "../../src/pod/pod_files.ts";
import { loaded } from "../config/helpers.ts";
import { Authority } from "../support/certificates.ts";
import { needs } from "../support/tools.ts";

const KEY = "0123456789abcdef";

async function read(stickyKey: string, content?: string): Promise<string> {
  const whole = await loaded({ args: ["--upstream", "http://10.0.0.1"] });
  const config = { ...whole.config, ...(content === undefined ? {} : { stickyKeyFile: "/key" }) };
  const inputs = { stickyKey, readTextFile: () => Promise.resolve(content!) };
  return (await readPodFiles({ ...whole, config }, inputs, { withListener: false })).stickyKey;
}

Deno.test("readPodFiles() takes the sticky key of the environment, else the file's, without blanks", async () => {
  assertEquals(await read(""), "");
  assertEquals(await read(`${KEY}\n`), KEY);
  assertEquals(await read("", ` ${KEY}\n`), KEY);
  assertEquals(await read(" \n", KEY), KEY);
  assertEquals(await read(` ${KEY}`, "another one that would do"), KEY);
});

Deno.test("readPodFiles() refuses a sticky key that is short", async () => {
  const message = "stickyKeyFile is /key, which cannot be used: its key has 1 character, " +
    "must have at least 16, as `openssl rand -hex 32` makes them";
  await assertRejects(() => read("", "k\n"), Error, message);
});

Deno.test({
  name: "readPodFiles() refuses a key that TLS does not take, towards clients and towards endpoints",
  ...needs("openssl"),
  fn: async () => {
    await using authority = await Authority.create();
    const tls = await authority.install("pair", await authority.issue({ curve: "secp256k1" }));
    const upstreams = { a: { endpoints: ["https://10.0.0.1"], tls } };
    const whole = await loaded({ file: JSON.stringify({ listen: { tls }, upstreams }) });
    const inputs = { stickyKey: "", readTextFile: Deno.readTextFile };
    const error = await assertRejects(() => readPodFiles(whole, inputs, { withListener: true }), Error);
    const cause = `keyFile is ${tls.keyFile}, which cannot be used: the key is none of RSA`;
    for (const key of ["listen.tls", "upstreams.a.tls"]) {
      assertStringIncludes(error.message, `${key}.${cause}`);
    }
  },
});

Deno.test("fileChanges() names what holds something else, and nothing that joined, left or stayed", () => {
  const tls = (cert: string) => ({ caCerts: ["ca"], cert, key: "key" });
  const files = (stickyKey: string, upstreams: Record<string, string>): PodFiles => ({
    stickyKey,
    upstreamTls: new Map(Object.entries(upstreams).map(([name, cert]) => [name, tls(cert)])),
  });
  const before = files(KEY, { a: "1", "b.c": "1", left: "1" });
  assertEquals(fileChanges(before, files(KEY, { a: "1", "b.c": "1", joined: "2" })), []);
  assertEquals(fileChanges(before, files("another key", { a: "1", "b.c": "2" })), [
    'what the files of upstreams["b.c"].tls hold changed',
    "the sticky key changed: older cookies do not count any more",
  ]);
});
