// With TLS, Deno.serve stands behind Weir's own door, on loopback: nobody else may come in there, clients do not see
// that it is there, and a lack of descriptors ends neither.

import { assertEquals, assertNotEquals } from "@std/assert";
import { Authority } from "../support/certificates.ts";
import { curl } from "../support/curl.ts";
import { Gate, reply, scene, wait } from "../support/raw_origin.ts";
import { type Props, scenario } from "../support/scenario.ts";
import { TlsClient } from "../support/tls_client.ts";
import { needs } from "../support/tools.ts";
import { until } from "../support/until.ts";
import type { RunningWeir } from "../support/weir.ts";

const GET = "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n";
const FILES_MAX = 64;
const CLIENTS = 30;
const LISTENING = "0A";
const LOOPBACK = "0100007F";

async function secure(props: Props, authority: Authority, upstreams: string, filesMax?: number) {
  const tls = await authority.install("site", await authority.issue());
  return await props.weir({
    config: {
      listen: { tls },
      drain: { delayMs: 0, deadlineMs: 10_000 },
      upstreams: { default: { endpoints: [upstreams] } },
    },
    ...(filesMax === undefined ? {} : { filesMax }),
  });
}

/** Ports on 127.0.0.1 that this Weir listens on, beside those that it tells. */
async function hiddenPorts(weir: RunningWeir): Promise<number[]> {
  const sockets = new Set<string>();
  for await (const { name } of Deno.readDir(`/proc/${weir.pid}/fd`)) {
    sockets.add(await Deno.readLink(`/proc/${weir.pid}/fd/${name}`).catch(() => ""));
  }
  const known = [weir.url, weir.adminUrl].map((url) => Number(new URL(url).port));
  const table = await Deno.readTextFile(`/proc/${weir.pid}/net/tcp`);
  return table.split("\n").slice(1, -1).map((line) => line.trim().split(/\s+/)).flatMap((fields) => {
    const [address = "", port = ""] = fields[1]!.split(":");
    const its = fields[3] === LISTENING && address === LOOPBACK && sockets.has(`socket:[${fields[9]}]`);
    return its && !known.includes(parseInt(port, 16)) ? [parseInt(port, 16)] : [];
  });
}

scenario("nobody comes in behind the door, from whatever address and port", async (props) => {
  await using authority = await Authority.create();
  const origin = await props.origin(reply(200));
  const weir = await secure(props, authority, origin.url);
  await using client = await TlsClient.connect(weir.url, authority.cert);
  client.send(GET);
  await client.until("200 OK");
  const hidden = await hiddenPorts(weir);
  assertNotEquals(hidden, []);
  for (const port of hidden) {
    const table = await Deno.readTextFile(`/proc/${weir.pid}/net/tcp`);
    const towards = new RegExp(`${LOOPBACK}:([0-9A-F]{4}) ${LOOPBACK}:${hex(port)} 01`).exec(table);
    const passage = towards === null ? [] : ["--local-port", String(parseInt(towards[1]!, 16))];
    for (const from of [[], ["--interface", "127.0.0.2", ...passage]]) {
      assertEquals((await curl(...from, `http://127.0.0.1:${port}/`)).status, 403);
    }
  }
  assertEquals(origin.requests.length, 1);
}, { ...needs("openssl", "curl"), listeners: ["serve"] });

scenario("a request without Host gets the port that clients know", async (props) => {
  await using authority = await Authority.create();
  const origin = await props.origin(reply(200));
  const weir = await secure(props, authority, origin.url);
  await using client = await TlsClient.connect(weir.url, authority.cert);
  client.send("GET / HTTP/1.0\r\n\r\n");
  await client.until("200 OK");
  const { headers } = origin.requests[0]!;
  const host = headers.find(([name]) => name.toLowerCase() === "host")![1];
  assertEquals(host.split(":")[1], new URL(weir.url).port);
}, { ...needs("openssl"), listeners: ["serve"] });

scenario("a request under way outlives a lack of descriptors, and the drain waits for it", async (props) => {
  await using authority = await Authority.create();
  const gate = new Gate();
  const origin = await props.origin([scene(wait(gate), reply(200, { body: "late" })), reply(200)]);
  const weir = await secure(props, authority, origin.url, FILES_MAX);
  await using slow = await TlsClient.connect(weir.url, authority.cert);
  slow.send(GET);
  await until("it is under way", () => origin.requests.length === 1);
  const others = Array.from({ length: CLIENTS }, async () => {
    const other = await TlsClient.connect(weir.url, authority.cert);
    other.send(GET);
    return other;
  });
  const settled = Promise.allSettled(others);
  await until("descriptors have run out", async () => await weir.openFiles() >= FILES_MAX - 2);
  weir.signal("SIGTERM");
  await weir.line(/leaving|drain/);
  gate.open();
  await slow.until("late");
  for (const other of await settled) {
    if (other.status === "fulfilled") await other.value[Symbol.asyncDispose]();
  }
  assertEquals((await weir.exit).code, 0);
}, { ...needs("openssl"), listeners: ["serve"] });

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}
