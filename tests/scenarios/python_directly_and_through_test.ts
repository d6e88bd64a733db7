// Python's own file server, asked directly and through Weir, gives the same answers.

import { assertEquals } from "@std/assert";
import { ask, type RawAnswer } from "../support/raw_client.ts";
import type { Header } from "../support/raw_http.ts";
import { scenario } from "../support/scenario.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { needs, requireTool } from "../support/tools.ts";

/** Fields that may differ: about the moment, about one connection, or about who asked. */
const mayDiffer = /^(date|connection|keep-alive|via|x-request-id)$/i;
const modified = "Wed, 21 Oct 2015 07:28:00 GMT";

const questions: [method: string, target: string, headers?: Header[]][] = [
  ["GET", "/"],
  ["HEAD", "/"],
  ["GET", "/hello.txt"],
  ["HEAD", "/hello.txt"],
  ["GET", "/hello.txt", [["If-Modified-Since", modified]]],
  ["GET", "/hello.txt?query=%20"],
  ["GET", "/path/to/files"],
  ["GET", "/path/to/files/"],
  ["GET", "/path/to/files/%c3%a9.bin"],
  ["GET", "/path/../hello.txt"],
  ["GET", "/nowhere"],
  ["POST", "/"],
];

scenario("python's http.server answers the same through Weir", async (props) => {
  await using folder = await TemporaryFolder.make();
  await fill(folder);
  await using python = await startPython(folder.path);
  const weir = await props.weir({ upstreams: python.url });
  for (const [method, target, headers] of questions) {
    const direct = await ask(python.url, { method, target, ...(headers ? { headers } : {}) });
    const through = await ask(weir.url, { method, target, ...(headers ? { headers } : {}) });
    assertEquals(essence(through), essence(direct), `${method} ${target}`);
  }
}, needs("python3"));

function essence(answer: RawAnswer): unknown {
  const { status, body, ended } = answer;
  const names = answer.headers.map(([name]) => name.toLowerCase()).filter((name) => !mayDiffer.test(name));
  const headers = [...new Set(names)].sort().map((name) => [name, answer.headerAll(name)]);
  return { status, body: [...body], ended, headers };
}

async function fill(folder: TemporaryFolder): Promise<void> {
  await Deno.mkdir(folder.at("path/to/files"), { recursive: true });
  await Deno.utime(await folder.write("hello.txt", "hello\n"), new Date(modified), new Date(modified));
  await Deno.writeFile(folder.at("path/to/files/é.bin"), new Uint8Array(100_000).map((_, i) => i));
}

async function startPython(root: string): Promise<AsyncDisposable & { url: string }> {
  const child = new Deno.Command(requireTool("python3"), {
    args: ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", root],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const port = /port (\d+)/.exec((await lines.read()).value ?? "")?.[1];
  const stop = async () => {
    child.kill("SIGTERM");
    await child.status;
    await lines.cancel();
  };
  if (port === undefined) {
    await stop();
    throw new Error("python does not say its port");
  }
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: stop };
}
