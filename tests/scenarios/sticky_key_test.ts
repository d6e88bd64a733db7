// The key of sticky cookies lies in a file: one that cannot sign is refused, a new one is taken over and told.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { ask } from "../support/raw_client.ts";
import { reply, startOrigin } from "../support/raw_origin.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { runWeir, startWeir } from "../support/weir.ts";

const EMPTY = "which cannot be used: it is empty, must hold the key that signs sticky cookies";

Deno.test("a sticky key file without a key is refused at start", async () => {
  await using folder = await TemporaryFolder.make();
  const key = await folder.write("key", " \n");
  const upstreams = { a: { endpoints: ["http://127.0.0.1:9"], sticky: {} } };
  const config = await folder.write("weir.yaml", JSON.stringify({ stickyKeyFile: key, upstreams }));
  const here = { HOST: "127.0.0.1", PORT: "0", ADMIN_HOST: "127.0.0.1", ADMIN_PORT: "0", WORKERS: "1" };
  const { code, stderr } = await runWeir(["run"], { ...here, CONFIG: config }, config);
  assertEquals(code, 64);
  assertStringIncludes(stderr, `stickyKeyFile is ${key}, ${EMPTY}`);
});

Deno.test("a sticky key that goes blank or short changes nothing, and a new one is taken over and told", async () => {
  await using origin = await startOrigin(reply(200));
  await using weir = await startWeir({ config: { upstreams: { a: { endpoints: [origin.url] } } } });
  const key = `${weir.configPath!.substring(0, weir.configPath!.lastIndexOf("/"))}/key`;
  await Deno.writeTextFile(key, "the first of two keys\n");
  const upstreams = { a: { endpoints: [origin.url], sticky: {} } };
  await Deno.writeTextFile(weir.configPath!, JSON.stringify({ stickyKeyFile: key, upstreams }));
  await weir.line(/applied: .*stickyKeyFile added/);
  const cookieOf = async () => (await ask(weir.url)).header("set-cookie");
  const first = await cookieOf();

  for (const [content, why] of [["", EMPTY], ["0123456789abcde\n", "its key has 15 characters"]] as const) {
    await Deno.writeTextFile(key, content);
    weir.signal("SIGHUP");
    await weir.line(new RegExp(`refused, the old configuration stays: .*${why}`));
    assertEquals([await cookieOf(), await weir.status("/readyz")], [first, 200]);
  }

  await Deno.writeTextFile(key, "the second of two keys\n");
  weir.signal("SIGHUP");
  await weir.line(/SIGHUP: applied: .*the sticky key changed/);
  assertEquals(await cookieOf() === first, false);

  weir.signal("SIGHUP");
  await weir.line(/SIGHUP: applied: nothing changed/);
});
