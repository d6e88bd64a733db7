// `weir probe` and `weir explain` on their command lines: where they find the admin port, and what they refuse.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { readAdminCall } from "../../src/cli/admin_call.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { runWeir, startWeir } from "../support/weir.ts";

const COMMAND = { name: "explain", flags: ["path", "header"], switches: ["json"] };

/** Where a command would ask, with a configuration file of this text. */
async function asked(args: string[], env: Record<string, string>, config: string | null) {
  await using folder = await TemporaryFolder.make();
  const named = config === null ? {} : { CONFIG: await folder.write("weir.yaml", config) };
  const call = await readAdminCall(COMMAND, args, { ...env, ...named });
  return call && `${call.host} ${call.port}`;
}

Deno.test("the admin port is asked for where flags, environment and file put it, in this order", async () => {
  const file = "admin: { host: 10.0.0.5, port: 9001 }";
  for (
    const [args, env, config, where] of [
      [[], {}, null, "127.0.0.1 9901"],
      [[], {}, file, "10.0.0.5 9001"],
      [[], { ADMIN_PORT: "9002" }, file, "10.0.0.5 9002"],
      [["--admin-port", "9003", "--admin-host=::"], { ADMIN_PORT: "9002" }, file, "::1 9003"],
      [[], { ADMIN_PORT: "" }, null, "127.0.0.1 9901"],
      [[], { ADMIN_PORT: "9002" }, "admin: { prot: 1 }", "127.0.0.1 9002"],
      [[], {}, `${file}\nno-such-key: 1`, "10.0.0.5 9001"],
      [[], {}, "admin: { port: 3000 }\nlisten: { port: 80a }", "127.0.0.1 3000"],
      [[], {}, "admin: {", "127.0.0.1 9901"],
    ] as const
  ) assertEquals(await asked([...args], env, config), where);
});

Deno.test("a file that is not there, or wrong, keeps nobody from asking, but is told of", async () => {
  const missing =
    "nope.yaml cannot be read: there is no such file (flag --config); asks 127.0.0.1:1 all the same\n";
  for (
    const [config, note] of [
      [["--config", "nope.yaml"], missing],
      [[], ""],
    ] as const
  ) {
    const { code, stderr } = await runWeir(["probe", "--admin-port", "1", ...config]);
    assertEquals([code, stderr.slice(0, stderr.indexOf("no answer from 127.0.0.1:1: "))], [1, note]);
  }
});

Deno.test("a flag may stand several times, and each value is kept", async () => {
  const call = await readAdminCall(COMMAND, ["--header", "a: b", "--header=c: d", "--json"], {});
  assertEquals(call?.flags["header"], ["a: b", "c: d"]);
  assertEquals(call?.switches, new Set(["json"]));
});

Deno.test("probe and explain refuse what they do not know, with 64 and in words", async () => {
  for (
    const [args, words] of [
      [["probe", "--json"], 'unknown: "--json"; probe takes --path --admin-host --admin-port --config'],
      [["explain", ""], 'unknown: ""; explain takes --id --path'],
      [["probe", "--", "--admin-port", "9001"], 'unknown: "--admin-port" "9001"; probe takes --path'],
      [["explain", "--id", ""], "id is empty\nAsk where a request would go:"],
      [["explain", "--path", "/", "--header", ""], "header must be like `Name: value`"],
      [["probe", "--path", ""], '--path is "", must start with /'],
      [["probe", "--admin-port", ""], "--admin-port is empty, must be --admin-port PORT (flag --admin-port)"],
      [["explain"], "path is missing\nAsk where a request would go:"],
      [["explain", "--path", "/", "--id", "7"], "path is not asked for here, accepted: id"],
      [["explain", "--path", "/", "--path", "/a"], "path is given 2 times, must be given once"],
      [["explain", "--path", "users", "--json"], 'path is "users", must start with /'],
      [["explain", "--path", "/", "--header", "Cookie"], "header must be like `Name: value`"],
      [["probe", "--path=/livez", "--path=/readyz"], "--path is given 2 times, must be given once"],
      [["probe", "--path", "livez"], '--path is "livez", must start with /'],
      [["probe", "--path", "/livez HTTP/1.1"], '--path is "/livez HTTP/1.1", must start with /'],
      [["probe", "--admin-port", "x"], 'admin.port is "x", must be an integer from 0 to 65535'],
    ] as const
  ) {
    const { code, stdout, stderr } = await runWeir(args);
    assertStringIncludes(stderr, words);
    assertEquals([code, stdout], [64, ""]);
  }
});

Deno.test("probe passes for a Weir, and for no other program that answers 200", async () => {
  const bodies = ["<h1>It works!</h1>", "null", '{"status":"ok"}', '{"passed":false}'];
  const origin = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ url }) => {
    return new Response(bodies[Number(new URL(url).search.substring(1))]);
  });
  try {
    await using weir = await startWeir({ upstreams: `http://127.0.0.1:${origin.addr.port}` });
    const asked = (url: string, path: string) =>
      runWeir(["probe", "--admin-port", new URL(url).port, "--path", path]);
    for (const path of ["/readyz", "/livez?from=cron"]) {
      assertEquals((await asked(weir.adminUrl, path)).code, 0);
    }
    for (const i of bodies.keys()) {
      const { code, stdout, stderr } = await asked(weir.url, `/readyz?${i}`);
      assertStringIncludes(
        stderr,
        `${new URL(weir.url).port} is no admin server of Weir: it answers 200, but`,
      );
      assertEquals([code, stdout], [1, ""]);
    }
  } finally {
    await origin.shutdown();
  }
});
