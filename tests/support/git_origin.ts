// An origin that serves a bare repository by git's own HTTP backend, a CGI program.

/** Where git keeps its programs; null without git or without its HTTP backend. */
function findBackend(): string | null {
  try {
    const { stdout } = new Deno.Command("git", { args: ["--exec-path"], stderr: "null" }).outputSync();
    const path = `${new TextDecoder().decode(stdout).trim()}/git-http-backend`;
    return Deno.statSync(path).isFile ? path : null;
  } catch {
    return null;
  }
}

/** Marks a test as ignored, and says why, when git is missing. */
export function needsGit(): { ignore: boolean } {
  const ignore = findBackend() === null;
  if (ignore) console.log("ignoring tests that need git: apt-get install git");
  return { ignore };
}

/** Runs git away from the user's configuration. @throws with what it said when it fails */
export async function git(directory: string, ...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("git", {
    args: ["-c", "user.name=Test", "-c", "user.email=test@weir.test", ...args],
    cwd: directory,
    env: { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null", GIT_TERMINAL_PROMPT: "0" },
  }).output();
  if (!success) throw new Error(`git ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

export interface GitOrigin extends AsyncDisposable {
  readonly url: string;
}

/** Serves the repositories under `root`. */
export function startGitOrigin(root: string): GitOrigin {
  const backend = findBackend()!;
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => runCgi(backend, root, request),
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function runCgi(backend: string, root: string, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const { headers } = request;
  const child = new Deno.Command(backend, {
    env: {
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      REMOTE_USER: "test",
      REMOTE_ADDR: "127.0.0.1",
      REQUEST_METHOD: request.method,
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: headers.get("content-type") ?? "",
      HTTP_CONTENT_ENCODING: headers.get("content-encoding") ?? "",
      HTTP_GIT_PROTOCOL: headers.get("git-protocol") ?? "",
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const feeding = request.body === null ? child.stdin.close() : request.body.pipeTo(child.stdin);
  const [{ stdout }] = await Promise.all([child.output(), feeding.catch(() => {})]);
  return cgiResponse(stdout);
}

/** RFC 3875 6: header lines, an empty line, the body. */
function cgiResponse(output: Uint8Array<ArrayBuffer>): Response {
  const text = Array.from(output.subarray(0, 4_096), (byte) => String.fromCharCode(byte)).join("");
  const end = text.indexOf("\r\n\r\n");
  const headers = text.slice(0, end).split("\r\n").map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const status = headers.find(([name]) => name === "Status")?.[1] ?? "200";
  return new Response(output.subarray(end + 4), {
    status: Number(status.slice(0, 3)),
    headers: headers.filter(([name]) => name !== "Status"),
  });
}
