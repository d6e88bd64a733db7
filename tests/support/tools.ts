// Programs that some tests use when the machine has them: nginx, wrk, python3, openssl.
//
// A test that needs one is written `Deno.test({ name, ...needs("nginx", "wrk"), fn })`: without the program it
// is reported as ignored, and the reason, with the Debian package to install, stands in its output.

/** Debian package of each program that tests may ask for. */
export const packageOf = {
  curl: "curl",
  ip: "iproute2",
  nginx: "nginx-light",
  node: "nodejs",
  openssl: "openssl",
  python3: "python3",
  slowhttptest: "slowhttptest",
  strace: "strace",
  unshare: "util-linux",
  wrk: "wrk",
} as const;

export type Tool = keyof typeof packageOf;

/** Places beside PATH where Debian puts servers. */
const directories = () => [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"];

/** Absolute path of a program, or null when the machine has none. */
export function findTool(tool: Tool): string | null {
  for (const directory of directories()) {
    if (directory === "") continue;
    const path = `${directory}/${tool}`;
    if (isProgram(path)) return path;
  }
  return null;
}

/** Absolute path of a program that the test's `needs()` has named. @throws when it is not there. */
export function requireTool(tool: Tool): string {
  const path = findTool(tool);
  if (path === null) throw new Error(`${tool} is not installed: apt-get install ${packageOf[tool]}`);
  return path;
}

/** Marks a test as ignored, and says why, when one of its programs is missing. */
export function needs(...tools: readonly Tool[]): { ignore: boolean } {
  const missing = tools.filter((tool) => findTool(tool) === null);
  for (const tool of missing) {
    console.log(`ignoring tests that need ${tool}: apt-get install ${packageOf[tool]}`);
  }
  return { ignore: missing.length > 0 };
}

function isProgram(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && ((mode ?? 0) & 0o111) !== 0;
  } catch {
    return false;
  }
}
