// curl's own ways: a stream as it comes (-N), an upload that asks first (Expect), a client that leaves.

import { assertEquals } from "@std/assert";
import {
  afterHead,
  chunk,
  Gate,
  head,
  interim,
  readBody,
  reply,
  replyRaw,
  scene,
  wait,
} from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { needs, requireTool } from "../support/tools.ts";

const PIECES = 5;

function curl(...args: readonly string[]): Deno.Command {
  return new Deno.Command(requireTool("curl"), {
    args: ["--silent", "--max-time", "30", ...args],
    stdout: "piped",
    stderr: "null",
  });
}

scenario("curl -N prints each piece of a stream before the next is sent", async (props) => {
  const gate = new Gate();
  const pieces = Array.from({ length: PIECES }, (_, n) => scene(wait(gate), replyRaw(chunk(`piece ${n}\n`))));
  const stream = head(200, [["Transfer-Encoding", "chunked"]]);
  const origin = await props.origin(scene(stream, ...pieces, replyRaw("0\r\n\r\n")));
  const weir = await props.loop({ upstreams: origin.url });
  const child = curl("-N", weir.url).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  for (let n = 0; n < PIECES; n++) {
    gate.open(1);
    assertEquals((await output.read()).value, `piece ${n}\n`);
  }
  assertEquals((await output.read()).done, true);
  assertEquals((await child.status).code, 0);
}, needs("curl"));

scenario("curl's Expect: 100-continue is answered, and its body arrives", async (props) => {
  const origin = await props.origin(afterHead(interim(100), readBody(), reply(201, { body: "stored" })));
  const weir = await props.loop({ upstreams: origin.url });
  // Without a 100 curl would wait for longer than it has for all.
  const expects = [
    "--expect100-timeout",
    "60",
    "-H",
    "Expect: 100-continue",
    "-H",
    "Content-Type: text/plain",
  ];
  const body = "x".repeat(100_000);
  const { stdout } = await curl(...expects, "--data-binary", body, "-w", " %{http_code}", weir.url).output();
  assertEquals(new TextDecoder().decode(stdout), "stored 201");
  const request = await origin.request(1);
  assertEquals(request.bodyBytes, body.length);
}, needs("curl"));

scenario("curl uploads a form with a file, chunked", async (props) => {
  const origin = await props.origin(reply(200, { body: "ok" }));
  const weir = await props.loop({ upstreams: origin.url });
  await using folder = await TemporaryFolder.make();
  const path = await folder.write("form.txt", "of the file");
  const form = ["-H", "Transfer-Encoding: chunked", "-F", "name=value", "-F", `file=@${path}`];
  const { stdout } = await curl(...form, weir.url).output();
  assertEquals(new TextDecoder().decode(stdout), "ok");
  const request = await origin.request(1);
  const text = await request.text();
  assertEquals(request.header("content-type")?.startsWith("multipart/form-data; boundary="), true);
  assertEquals([text.includes("of the file"), text.includes('name="name"')], [true, true]);
}, needs("curl"));
