// The command `weir probe`: asks the admin port of a running Weir whether it is ready, for health checks without a shell.

import { parseArgs } from "@std/cli/parse-args";
import { getAdmin } from "./admin_client.ts";

/** Exit 0 when the probe passes, 1 when it does not or nobody answers. */
export async function probe(args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const flags = parseArgs(args, { string: ["path", "admin-port"], default: { path: "/readyz" } });
  const port = Number(flags["admin-port"] ?? env["ADMIN_PORT"] ?? 9901);
  try {
    const { status, body } = await getAdmin("127.0.0.1", port, String(flags["path"]), "application/json");
    console.log(body.trimEnd());
    return status === 200 ? 0 : 1;
  } catch (error) {
    console.error(`no answer from 127.0.0.1:${port}: ${error instanceof Error ? error.message : error}`);
    return 1;
  }
}
