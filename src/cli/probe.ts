// The command `weir probe`: asks the admin port of a running Weir whether it is ready, for health checks without a shell.

import { readAdminCall } from "./admin_call.ts";
import { askAdmin } from "./admin_client.ts";
import { complain } from "./print.ts";

/** Exit 0 when the probe passes, 1 when it does not or nobody answers, 64 for a flag or path that is none. */
export async function probe(args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const call = await readAdminCall({ name: "probe", flags: ["path"] }, args, env);
  if (call === null) return 64;
  const [path = "/readyz", ...more] = call.flags["path"] ?? [];
  if (more.length > 0) {
    complain(`--path is given ${more.length + 1} times, must be given once`);
    return 64;
  }
  if (!/^\/[\x21-\x7e]*$/.test(path)) {
    complain(`--path is ${JSON.stringify(path)}, must start with /, in visible ASCII without blanks`);
    return 64;
  }
  const isProbe = /^\/(live|ready|startup)z(\?|$)/.test(path);
  return await askAdmin(call, path, "application/json", isProbe ? saysPassed : undefined);
}

/** Many programs answer 200 whatever the path is: an application, behind Weir's own port for traffic, too. */
function saysPassed(body: string): boolean {
  try {
    return JSON.parse(body)?.passed === true;
  } catch {
    return false;
  }
}
