// Files that the configuration names and that this process may not read: told with where they may lie.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { runWeir } from "../support/weir.ts";

const HERE = { HOST: "127.0.0.1", PORT: "0", ADMIN_HOST: "127.0.0.1", ADMIN_PORT: "0", WORKERS: "1" };
const beyond =
  "lies outside of what this process may read, must lie in the working directory or in /etc/weir";
const upstream = { endpoints: ["http://127.0.0.1:9"] };
const filesBeyond: readonly [string, string, object][] = [
  ["the sticky key", "stickyKeyFile is /sys/key", { stickyKeyFile: "/sys/key" }],
  ["the certificate", "listen.tls.certFile is /sys/a.pem", {
    listen: { tls: { certFile: "/sys/a.pem", keyFile: "/sys/b.pem" } },
  }],
  ["an upstream's CA", "upstreams.a.tls.caFile", {
    upstreams: { a: { ...upstream, tls: { caFile: "/sys/ca.pem" } } },
  }],
];
for (const [what, named, config] of filesBeyond) {
  Deno.test(`${what} out of reach is refused with where it may lie`, async () => {
    await using folder = await TemporaryFolder.make();
    const text = JSON.stringify({ upstreams: { a: upstream }, ...config });
    const path = await folder.write("weir.yaml", text);
    const { code, stderr } = await runWeir(["run"], { ...HERE, CONFIG: path }, path);
    assertEquals(code, 64);
    assertStringIncludes(stderr, named);
    assertStringIncludes(stderr, beyond);
    assertMatch(stderr, /^The configuration has [12] problems?:\n.* \(\/\S+\.yaml:1:\d+\)$/m);
  });
}

Deno.test("a file out of reach is read where a symbolic link within reach leads to it, or to its folder", async () => {
  await using far = await TemporaryFolder.make();
  const file = await far.write("weir.yaml", JSON.stringify({ upstreams: { a: upstream } }));
  await using near = await TemporaryFolder.make();
  await Deno.symlink(file, near.at("weir.yaml"));
  await Deno.symlink(far.path, near.at("far"));
  const check = async (path: string) => {
    const { code, stderr } = await runWeir(["check"], { CONFIG: path }, near.at("weir.yaml"));
    return [code, stderr.includes(beyond)];
  };
  assertEquals(await check(file), [64, true]);
  assertEquals(await check(near.at("weir.yaml")), [0, false]);
  assertEquals(await check(near.at("far/weir.yaml")), [0, false]);
});
