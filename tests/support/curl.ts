// curl as a client: what it was answered, as it tells it.

import { requireTool } from "./tools.ts";

export interface CurlAnswer {
  readonly status: number;
  /** `1.1` or `2`. */
  readonly version: string;
  /** Names in lower case, in order of arrival. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  /** 0: curl is content. */
  readonly code: number;
}

/** Runs curl with these arguments, the last one being the URL. */
export async function curl(...args: readonly string[]): Promise<CurlAnswer> {
  return await curlWith("", ...args);
}

/** The same with something on its standard input. */
export async function curlWith(input: string, ...args: readonly string[]): Promise<CurlAnswer> {
  const child = new Deno.Command(requireTool("curl"), {
    args: [
      "--silent",
      "--include",
      "--max-time",
      "20",
      "--write-out",
      "\n%{http_version} %{http_code}",
      ...args,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    clearEnv: true,
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
  const { stdout, code } = await child.output();
  const text = new TextDecoder("latin1").decode(stdout);
  const end = text.lastIndexOf("\n");
  const [version = "", status = ""] = text.slice(end + 1).split(" ");
  const { headers, body } = parts(text.slice(0, end));
  return { status: Number(status), version, headers, body, code };
}

/** The last head, after interim ones, and what follows it. */
function parts(text: string): Pick<CurlAnswer, "headers" | "body"> {
  let rest = text;
  let head = "";
  while (/^HTTP\/\S+ 1\d\d/.test(rest) || (head === "" && rest.startsWith("HTTP/"))) {
    const end = rest.indexOf("\r\n\r\n");
    head = rest.slice(0, end);
    rest = rest.slice(end + 4);
    if (/^HTTP\/\S+ 1\d\d/.test(head)) head = "";
  }
  const headers = head.split("\r\n").slice(1).map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { headers, body: rest };
}
