// A renewed certificate stands in its files: who is shown which one, and who notices anything.

import { assertEquals, assertRejects } from "@std/assert";
import { Authority, type Identity } from "../support/certificates.ts";
import { readCertificate } from "../../src/control/certificate.ts";
import { afterHead, Gate, readBody, reply, scene, type Step, wait } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { TlsClient } from "../support/tls_client.ts";
import { needs } from "../support/tools.ts";
import type { RunningWeir } from "../support/weir.ts";

const options = needs("openssl");

const fingerprint = (identity: Identity) => readCertificate(identity).fingerprint;

function config(origin: { url: string }, files: { certFile: string; keyFile: string }) {
  return { listen: { tls: files }, upstreams: { default: { endpoints: [origin.url] } } };
}

/** Waits until every worker has said that all its handshakes get this certificate. */
async function served(weir: RunningWeir, identity: Identity): Promise<void> {
  await weir.line(new RegExp(`every new handshake gets certificate ${fingerprint(identity)}`));
}

scenario(
  "a renewed certificate is shown to every new client, and no old one notices",
  async (props) => {
    await using authority = await Authority.create();
    const [first, second] = [await authority.issue(), await authority.issue({ days: 3 })];
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
    waiting.send("GET /again HTTP/1.1\r\nHost: app.test\r\n\r\n");
    await waiting.until("new");
    assertEquals(await weir.metric("weir_certificate_changes_total", { result: "applied" }), 1);
    const { notAfter } = readCertificate(second);
    assertEquals(await weir.metric("weir_certificate_expiry_timestamp_seconds"), notAfter / 1_000);
    const { certificate } = JSON.parse(await weir.admin("/status"));
    assertEquals([certificate.notAfter, certificate.problem], [notAfter, null]);
    assertEquals(certificate.workers, { serving: 2, all: 2 });
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

scenario("a start with a certificate that has expired serves it, and says what clients do", async (props) => {
  await using authority = await Authority.create();
  const files = await authority.install("site", await authority.issue({ days: -1 }));
  const weir = await props.weir({ config: config(await props.origin(), files) });
  await weir.line(/clients refuse the certificate: it expired on /);
  await assertRejects(() => TlsClient.connect(weir.url, authority.cert), Error, "certificate has expired");
}, options);
