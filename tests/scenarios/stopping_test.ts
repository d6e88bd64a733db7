// How Weir leaves: it stops being ready, finishes what it has, and says what it cut.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Authority } from "../support/certificates.ts";
import { ScriptedDns } from "../support/scripted_dns.ts";
import { type Ask, ask, requestText } from "../support/raw_client.ts";
import {
  afterHead,
  Gate,
  hang,
  head,
  readBody,
  reply,
  replyRaw,
  scene,
  startOrigin,
  wait,
} from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { needs } from "../support/tools.ts";
import { until } from "../support/until.ts";
import { launchWeir, type RunningWeir, startWeir } from "../support/weir.ts";

const drain = (delayMs: number, deadlineMs = 10_000) => ({ drain: { delayMs, deadlineMs } });

scenario("an upload in flight at SIGTERM finishes, then Weir ends with 0", async (props) => {
  const origin = await props.origin(afterHead(readBody(), reply(201, { body: "stored" })));
  const weir = await props.weir({ upstreams: origin.url, config: drain(0) });
  const client = await props.client(weir);
  await client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 8\r\n\r\nhalf");
  const request = await origin.request(1);
  weir.signal("SIGTERM");
  await until("not ready", async () => await weir.status("/readyz") !== 200);
  await client.send("half");
  const answer = await client.response();
  assertEquals([answer.status, answer.text, await request.text()], [201, "stored", "halfhalf"]);
  assertEquals(answer.header("connection"), "close");
  assertEquals((await weir.exit).code, 0);
});

scenario("a slow answer in flight at SIGTERM arrives whole", async (props) => {
  const gate = new Gate();
  const origin = await props.origin(scene(wait(gate), reply(200, { body: "w".repeat(1_000_000) })));
  const weir = await props.weir({ upstreams: origin.url, config: drain(0) });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/"));
  await origin.request(1);
  weir.signal("SIGTERM");
  await until("not ready", async () => await weir.status("/readyz") !== 200);
  gate.open();
  const answer = await client.response();
  assertEquals([answer.body.length, answer.ended], [1_000_000, "clean"]);
  assertEquals((await weir.exit).code, 0);
});

scenario(
  "an answer that began before the drain ends with its connection, and Weir does not wait for more",
  async (props) => {
    const gate = new Gate();
    const answer = scene(
      head(200, [["Transfer-Encoding", "chunked"]]),
      replyRaw("4\r\nhalf\r\n"),
      wait(gate),
      replyRaw("0\r\n\r\n"),
    );
    const origin = await props.origin(answer);
    // A deadline that no test outlives.
    const weir = await props.weir({ upstreams: origin.url, config: drain(0, 600_000) });
    const client = await props.client(weir);
    await client.send(requestText("GET", "/"));
    assert(await client.head() !== null);
    weir.signal("SIGTERM");
    await until("nobody is let in any more", () => props.client(weir).then(() => false, () => true));
    gate.open();
    assertEquals((await weir.exit).code, 0);
  },
  { listeners: ["wire"] },
);

scenario("during the drain delay Weir serves on and asks clients to leave", async (props) => {
  const origin = await props.origin(reply(200));
  const config = { ...drain(60_000), listen: { readyPath: "/ready" } };
  const weir = await props.weir({ upstreams: origin.url, config });
  const readyPath = () => ask(weir.url, { target: "/ready" }).then(({ status }) => status);
  assertEquals(await readyPath(), 200);
  weir.signal("SIGTERM");
  await until("not ready", async () => await weir.status("/readyz") === 503);
  const client = await props.client(weir);
  await client.send(requestText("GET", "/"));
  const answer = await client.response();
  assertEquals([answer.status, answer.header("connection")], [200, "close"]);
  assertEquals([await weir.status("/livez"), await readyPath()], [200, 503]);
  // A signal within a second of the first would count as the same one.
  await weir.kill();
});

const unread: Record<string, Ask> = {
  "a route that answers itself": { method: "POST", target: "/answer" },
  "a redirect": { method: "POST", target: "/elsewhere" },
  "the readiness probe": { method: "POST", target: "/ready" },
  "OPTIONS for this hop": { method: "OPTIONS", headers: [["Max-Forwards", "0"]] },
  "a path of no route": { method: "POST", target: "/none" },
};

for (const [what, request] of Object.entries(unread)) {
  scenario(`a body that nobody read holds up no drain: ${what}`, async (props) => {
    const loop = await props.loop({
      config: {
        listen: { readyPath: "/ready" },
        routes: [
          { match: { path: "/answer" }, respond: { status: 200, body: "mine" } },
          { match: { path: "/elsewhere" }, redirect: { to: "https://{host}/" } },
        ],
      },
    });
    assert((await ask(loop.url, { ...request, body: "x".repeat(100_000) })).ended === "clean");
    await loop.leave();
  });
}

scenario(
  "an upload that was answered before its end holds up no drain, though its client stays",
  async (props) => {
    const origin = await props.origin(afterHead(reply(413)));
    const loop = await props.loop({ upstreams: origin.url });
    const client = await props.client(loop);
    await client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100000\r\n\r\nsome");
    assertEquals((await client.response()).status, 413);
    await loop.leave();
  },
);

scenario("an upload that was too large holds up no drain, though its client stays", async (props) => {
  const { url } = await props.origin(reply(200));
  const loop = await props.loop({ upstreams: url, config: { limits: { requestBodyBytesMax: 1_000 } } });
  const client = await props.client(loop);
  await client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100000\r\n\r\nsome");
  assertEquals((await client.response()).status, 413);
  await loop.leave();
});

scenario("what does not end by the deadline is cut, and the log says so", async (props) => {
  const begun = scene(head(200, [["Transfer-Encoding", "chunked"]]), replyRaw("4\r\nhalf\r\n"), hang());
  const origin = await props.origin([begun, hang()]);
  const weir = await props.weir({ upstreams: origin.url, config: drain(0, 200) });
  const [hears, waits] = [await props.client(weir), await props.client(weir)];
  await hears.send(requestText("GET", "/hears"));
  assert(await hears.head() !== null);
  await waits.send(requestText("GET", "/waits"));
  await origin.request(2);
  weir.signal("SIGTERM");
  assertEquals((await weir.exit).code, 0);
  await weir.stop();
  assertMatch(await weir.line(/\bcut\b/), /\b2\b/);
  const logged = weir.stdout.filter((line) => line.includes('"target"')).map((line) => JSON.parse(line));
  assertEquals(
    logged.map(({ target, status, bytesOut, cause }) => [target, status, bytesOut, cause]).sort(),
    [["/hears", 200, 4, "drain_deadline"], ["/waits", 499, 0, "drain_deadline"]],
  );
});

scenario("SIGINT skips the drain delay", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.weir({ upstreams: origin.url, config: drain(600_000) });
  weir.signal("SIGINT");
  weir.signal("SIGINT");
  assertEquals(await weir.exit.then(({ code, signal }) => [code, signal]), [0, null]);
  assertMatch(await weir.line(/leaving/), /finishing what is in flight/);
  assert(weir.stderr.every((line) => !/\bat .*\.ts:\d+/.test(line)), weir.stderr.join("\n"));
});

Deno.test("SIGTERM during a start that waits for an answer ends it at once, with 0", async () => {
  await using dns = new ScriptedDns();
  dns.answers.set("app.test", "silence");
  await using weir = await launchWeir({ config: { ...drain(600_000), upstreams: found(dns) } });
  await dns.questions(1);
  weir.signal("SIGTERM");
  assertEquals(await weir.exit.then(({ code, signal }) => [code, signal]), [0, null]);
  await weir.stop();
  assertMatch(await weir.line(/leaving/), /the start is given up/);
  assert(!weir.stdout.some((line) => /serves|drained/.test(line)), weir.stdout.join("\n"));
});

Deno.test("SIGTERM while a reload waits for an answer: it comes to nothing, and says so", async () => {
  await using dns = new ScriptedDns();
  await using origin = await startOrigin(reply(200));
  dns.answers.set("app.test", "silence");
  const before = { app: { endpoints: [origin.url] } };
  await using weir = await startWeir({ config: { ...drain(0), upstreams: before } });
  await Deno.writeTextFile(weir.configPath!, JSON.stringify({ ...drain(0), upstreams: found(dns) }));
  await dns.questions(1);
  weir.signal("SIGTERM");
  assertEquals((await weir.exit).code, 0);
  await weir.stop();
  assertMatch(await weir.line(/"event":"reload"/), /refused.*this process has stopped meanwhile/);
});

/** Of a Weir that leaves after a FIFO has appeared beside a file, where whoever opens it waits for ever. */
async function endsBesideFifo(file: string, weir: RunningWeir, meanwhile = async () => {}): Promise<void> {
  assert((await new Deno.Command("mkfifo", { args: [`${file}.fifo`] }).output()).success);
  for (let time = 0; time < 20; time++) assertEquals(await weir.status("/readyz"), 200);
  await meanwhile();
  await weir.stop();
  assertEquals((await weir.exit).code, 0);
}

Deno.test("a FIFO beside the configuration file holds up no reload, of another folder either, and no end", async () => {
  await using origin = await startOrigin(reply(200));
  const config = { ...drain(0), upstreams: { app: { endpoints: [origin.url] } } };
  await using weir = await startWeir({ config });
  await endsBesideFifo(weir.configPath!, weir, async () => {
    const [folder, name] = weir.configPath!.split(/\/(?=[^/]*$)/);
    const next = `${folder}.next`;
    await Deno.mkdir(next);
    await Deno.writeTextFile(`${next}/${name}`, JSON.stringify({ ...config, accessLog: "off" }));
    Deno.renameSync(folder!, `${next}/before`);
    Deno.renameSync(next, folder!);
    await weir.line(/"event":"reload".*applied: accessLog/);
  });
});

Deno.test("a FIFO in the place of the configuration file is refused, and holds up neither what follows nor the end", async () => {
  await using origin = await startOrigin(reply(200));
  const config = { ...drain(0), upstreams: { app: { endpoints: [origin.url] } } };
  await using weir = await startWeir({ config });
  const file = weir.configPath!;
  await endsBesideFifo(file, weir, async () => {
    await Deno.rename(`${file}.fifo`, file);
    await weir.line(/"event":"reload".*refused.*cannot be read: it is a FIFO, must be a file/);
    await Deno.writeTextFile(`${file}.next`, JSON.stringify({ ...config, accessLog: "off" }));
    await Deno.rename(`${file}.next`, file);
    await weir.line(/"event":"reload".*applied: accessLog/);
  });
});

Deno.test("a FIFO beside the certificate holds up no end", needs("openssl"), async () => {
  await using authority = await Authority.create();
  const tls = await authority.install("site", await authority.issue());
  await using origin = await startOrigin(reply(200));
  await using weir = await startWeir({
    config: { ...drain(0), listen: { tls }, upstreams: { app: { endpoints: [origin.url] } } },
  });
  await endsBesideFifo(tls.certFile, weir);
});

Deno.test(
  "a FIFO in the place of the certificate, or of a key, is refused and holds up no reload",
  needs("openssl"),
  async () => {
    await using authority = await Authority.create();
    const tls = await authority.install("site", await authority.issue());
    await using origin = await startOrigin(reply(200));
    const config = { ...drain(0), listen: { tls }, upstreams: { app: { endpoints: [origin.url] } } };
    await using weir = await startWeir({ config });
    const stickyKeyFile = `${tls.certFile}.fifo`;
    await endsBesideFifo(tls.certFile, weir, async () => {
      await Deno.writeTextFile(weir.configPath!, JSON.stringify({ ...config, stickyKeyFile }));
      await weir.line(/"event":"reload".*refused.*stickyKeyFile.*it is a FIFO/);
      await Deno.rename(stickyKeyFile, tls.certFile);
      await weir.line(/"event":"certificate".*it is a FIFO/);
      await Deno.writeTextFile(weir.configPath!, JSON.stringify({ ...config, accessLog: "off" }));
      await weir.line(/"event":"reload".*applied: accessLog/);
    });
  },
);

/** An upstream that is looked for at a name server. */
function found({ port }: ScriptedDns) {
  return {
    found: { endpoints: ["dns+http://app.test:80"], discovery: { nameServer: `127.0.0.1:${port}` } },
  };
}
