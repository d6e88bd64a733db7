// No request that two servers could read differently passes Weir, whatever stands behind it: what the origin
// gets, strict and lenient readers read alike, and every client gets the answer to its own request.

import { assert, assertEquals } from "@std/assert";
import { ask, type RawClient, requestText } from "../support/raw_client.ts";
import { readAll, type ReaderName, READERS } from "../support/readers.ts";
import { RecordingOrigin } from "../support/recording_origin.ts";
import { scenario } from "../support/scenario.ts";
import { type Attack, ATTACKS, type Fate, HARMLESS } from "../support/smuggling_table.ts";

const names = Object.keys(READERS) as ReaderName[];

for (const reader of names) {
  scenario(`no ambiguous request reaches an origin that is ${reader}`, async (props) => {
    for (const [what, attack] of Object.entries({ ...ATTACKS, ...HARMLESS })) {
      await using origin = await RecordingOrigin.start(reader);
      const weir = await props.loop({ upstreams: origin.url, config: { accessLog: "off" } });
      const client = await props.client(weir);
      // First a request to warm up a connection that is then shared.
      await client.send(requestText("GET", "/before"));
      assertEquals((await client.response()).text, "/before", what);
      await strike(client, attack, attack.fate[props.listener], what);
      assertEquals((await ask(weir.url, { target: "/victim" })).text, "/victim", what);
      judge(origin, attack.fate[props.listener], what);
    }
  });
}

/** Sends it, and asks for /next on the same connection if that is still there. */
async function strike(client: RawClient, { bytes }: Attack, fate: Fate, what: string): Promise<void> {
  await client.send(bytes);
  if (fate === "refused") {
    const answer = await client.untilClosed();
    assert(answer === "" || /^HTTP\/1\.1 [45]\d\d /.test(answer), `${what}: ${answer}`);
    assertEquals(answer.match(/HTTP\/1\.1/g)?.length ?? 0, answer === "" ? 0 : 1, `${what}: ${answer}`);
    return;
  }
  const first = await client.response();
  if (fate === "skipped") {
    assert(first.status === 400 || first.status === 501, `${what}: ${first.status}`);
    assertEquals((await client.response()).text, "/smuggled", what);
  } else assertEquals(first.text, "/attack", what);
  await client.send(requestText("GET", "/next"));
  assertEquals((await client.response()).text, "/next", what);
}

/** What came is what everybody reads, and nothing else. */
function judge({ streams }: RecordingOrigin, fate: Fate, what: string): void {
  const readings = names.map((reader) => streams.map((stream) => readAll(stream, reader)));
  for (const reading of readings) assertEquals(reading, readings[0], what);
  const came = readings[0]!.flatMap(({ requests }) => requests);
  const own = fate === "refused" ? [] : fate === "skipped" ? ["/next", "/smuggled"] : ["/attack", "/next"];
  assertEquals(came.map(({ target }) => target).sort(), ["/before", "/victim", ...own].sort(), what);
  if (typeof fate === "string") return;
  assertEquals(came.find(({ target }) => target === "/attack")?.body, fate.body, what);
}
