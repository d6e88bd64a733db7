// The command `weir explain`: why a request goes, or went, where it does; asked of a running Weir.

import { parseArgs } from "@std/cli/parse-args";
import { getAdmin } from "./admin_client.ts";

const FLAGS = ["id", "method", "host", "path", "client", "admin-host", "admin-port"] as const;

/** Exit 0 with the explanation, 1 when there is none, 64 for a flag it does not know. */
export async function explain(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const unknown: string[] = [];
  const flags = parseArgs(args, {
    string: [...FLAGS],
    boolean: ["json"],
    unknown: (arg) => {
      unknown.push(arg);
      return false;
    },
  });
  if (unknown.length > 0) {
    console.error(
      `unknown: ${unknown.join(" ")}; explain takes ${FLAGS.map((flag) => `--${flag}`).join(" ")} --json`,
    );
    return 64;
  }
  const query = new URLSearchParams();
  for (const name of ["id", "method", "host", "path", "client"]) {
    if (flags[name] !== undefined) query.set(name, String(flags[name]));
  }
  const host = String(flags["admin-host"] ?? "127.0.0.1");
  const port = Number(flags["admin-port"] ?? env["ADMIN_PORT"] ?? 9901);
  const accept = flags["json"] === true ? "application/json" : "text/plain";
  try {
    const { status, body } = await getAdmin(host, port, `/explain?${query}`, accept);
    console.log(body.trimEnd());
    return status === 200 ? 0 : 1;
  } catch (error) {
    console.error(`no answer from ${host}:${port}: ${error instanceof Error ? error.message : error}`);
    return 1;
  }
}
