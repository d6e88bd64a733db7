// A renewed certificate stands in its files: who is shown which one, and who notices anything.
//
// With WEIR_TEST_FULL=1 the load takes twenty changes, one a second, instead of three.

import { assert, assertEquals } from "@std/assert";
import { Authority, type Identity } from "../support/certificates.ts";
import { readCertificate } from "../../src/control/certificate.ts";
import { afterHead, Gate, readBody, reply, scene, type Step, wait } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { TlsClient } from "../support/tls_client.ts";
import { needs } from "../support/tools.ts";
import type { RunningWeir } from "../support/weir.ts";

const options = needs("openssl");
const full = Deno.env.get("WEIR_TEST_FULL") === "1";

const fingerprint = (identity: Identity) => readCertificate(identity).fingerprint;

function config(origin: { url: string }, files: { certFile: string; keyFile: string }) {
  return { listen: { tls: files }, upstreams: { default: { endpoints: [origin.url] } } };
}

/** Waits until every worker has said that all its handshakes get this certificate. */
async function served(weir: RunningWeir, identity: Identity): Promise<void> {
  await weir.line(new RegExp(`every new handshake gets certificate ${fingerprint(identity)}`));
}

scenario(
  "a renewed certificate is shown to every client, and nothing that was read is cut",
  async (props) => {
    await using authority = await Authority.create();
    const [first, second] = [await authority.issue(), await authority.issue()];
    const files = await authority.install("site", first);
    const gate = new Gate();
    const slow: Step = scene(wait(gate), reply(200, { body: "slow answer" }));
    const upload: Step = afterHead(readBody(), reply(200, { body: "uploaded" }));
    const origin = await props.origin([slow, upload, reply(200, { body: "new" })]);
    const weir = await props.weir({ config: config(origin, files), workers: 2 });

    await using waiting = await TlsClient.connect(weir.url, authority.cert);
    assertEquals(waiting.fingerprint, fingerprint(first));
    waiting.send("GET /slow HTTP/1.1\r\nHost: app.test\r\n\r\n");
    await origin.request(1);
    await using uploading = await TlsClient.connect(weir.url, authority.cert);
    uploading.send("POST /up HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10\r\n\r\n01234");
    await origin.request(2);

    await authority.install("site", second);
    await weir.line(/another certificate/);
    uploading.send("56789");
    await uploading.until("uploaded");
    await served(weir, second);
    for (let i = 0; i < 20; i++) {
      await using client = await TlsClient.connect(weir.url, authority.cert);
      assertEquals(client.fingerprint, fingerprint(second));
    }
    gate.open();
    await waiting.until("slow answer");
    assertEquals(await weir.metric("weir_certificate_changes_total", { result: "applied" }), 1);
  },
  options,
);

scenario("a certificate that does not fit its key changes nothing and is reported", async (props) => {
  await using authority = await Authority.create();
  const [first, second] = [await authority.issue(), await authority.issue()];
  const files = await authority.install("site", first);
  const origin = await props.origin();
  const weir = await props.weir({ config: config(origin, files) });

  await authority.install("site", { cert: second.cert, key: first.key });
  await weir.line(/the key does not belong to the certificate/);
  await using client = await TlsClient.connect(weir.url, authority.cert);
  assertEquals(client.fingerprint, fingerprint(first));
  assertEquals(await weir.metric("weir_certificate_last_change_success"), 0);
  const status = JSON.parse(await weir.admin("/status"));
  assertEquals(status.certificate.problem, "the key does not belong to the certificate");

  await authority.install("site", second);
  await served(weir, second);
  assertEquals(await weir.metric("weir_certificate_last_change_success"), 1);
}, options);

/** One request on a connection of its own; what became of it in one word. */
async function visit(url: string, ca: string, path: string): Promise<{ shown: string; ended: string }> {
  let client: TlsClient;
  try {
    client = await TlsClient.connect(url, ca);
  } catch {
    return { shown: "", ended: "no handshake" };
  }
  await using _ = client;
  client.send(`GET ${path} HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n`);
  const ended = await client.until("end of answer").then(() => "answered", (error) => String(error));
  return { shown: client.fingerprint, ended };
}

scenario("certificates are replaced again and again under load", async (props) => {
  await using authority = await Authority.create();
  const identities: Identity[] = [];
  for (let i = 0; i <= (full ? 20 : 3); i++) identities.push(await authority.issue());
  const prints = identities.map(fingerprint);
  const files = await authority.install("site", identities[0]!);
  const origin = await props.origin(reply(200, { body: "end of answer" }));
  const weir = await props.weir({ config: config(origin, files), workers: 2, env: { ACCESS_LOG: "off" } });

  let complete = 0;
  let over = false;
  /** `unread`: sent after the handshake, and closed without an answer; no origin knows of it. */
  const counts = { answered: 0, noHandshake: 0, unread: 0 };
  const wrong: string[] = [];
  const drive = async (driver: number) => {
    for (let i = 0; !over; i++) {
      const path = `/${driver}/${i}`;
      const least = complete;
      const { shown, ended } = await visit(weir.url, authority.cert, path);
      if (shown !== "" && prints.indexOf(shown) < least) wrong.push(`${path}: certificate before ${least}`);
      if (ended === "answered") counts.answered++;
      else if (ended === "no handshake") counts.noHandshake++;
      // Deno.serve closes what it has accepted and not read from: to the client a request that was cut.
      else if (!origin.requests.some(({ target }) => target === path)) counts.unread++;
      else wrong.push(`${path}: ${ended}`);
    }
  };
  const drivers = [0, 1, 2, 3].map(drive);
  try {
    for (let i = 1; i < identities.length; i++) {
      await authority.install("site", identities[i]!);
      await served(weir, identities[i]!);
      complete = i;
      if (full) await new Promise((resolve) => setTimeout(resolve, 1_000));
      else {for (const before = counts.answered; counts.answered < before + 50;) {
          await Promise.race(drivers.map(turn));
        }}
    }
  } finally {
    over = true;
    await Promise.all(drivers);
  }
  const { answered, noHandshake, unread } = counts;
  console.log(`${complete} certificates under load: ${answered} answered`);
  console.log(`lost: ${noHandshake} before the end of the handshake, ${unread} sent but not read by Weir`);
  assertEquals(wrong, []);
  if (props.listener === "wire") assertEquals(unread, 0, "wire serves whom it has accepted");
  const lost = noHandshake + unread;
  assert(lost <= answered / 20, `${lost} lost, ${answered} answered`);
}, options);

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
