// What a pod's people, workers and admin page hear of the listener's certificate.

import { assertEquals, assertRejects } from "@std/assert";
import { CertificateError, readCertificate } from "../../src/control/certificate.ts";
import { CertificateKeeper, keepCertificate } from "../../src/pod/certificate_keeper.ts";
import { EventBook } from "../../src/pod/event_book.ts";
import type { Pod } from "../../src/pod/pod.ts";
import { Authority, type Identity } from "../support/certificates.ts";
import { needs } from "../support/tools.ts";
import { ClockOfToday } from "../support/virtual_clock.ts";

const options = { sanitizeOps: true, sanitizeResources: true, ...needs("openssl") };

/** A keeper of files that a test writes, before three workers. */
function stage(files: Identity) {
  const clock = new ClockOfToday();
  const events = new EventBook(() => clock.date(), () => {});
  const published: string[] = [];
  const workers = Array.from({ length: 3 }, () => ({ certificate: "" }));
  const held = { files };
  const keeper = new CertificateKeeper({
    files: { certFile: "/no/such/tls.crt", keyFile: "/no/such/tls.key" },
    clock,
    events,
    readTextFile: (path) => Promise.resolve(path.endsWith(".crt") ? held.files.cert : held.files.key),
    publish: ({ fingerprint }) => published.push(fingerprint),
    workers: () => workers,
  });
  /** What was said since the last time. */
  let told = 0;
  const said = () => {
    const texts = events.recent().slice(told).map(({ tone, text }) => `${tone}: ${text}`);
    told = events.recent().length;
    return texts;
  };
  return { clock, keeper, held, workers, published, said };
}

const day = (notAfter: number) => new Date(notAfter).toISOString();

Deno.test(
  "CertificateKeeper hands on another certificate, and says when every new handshake gets it",
  options,
  async () => {
    await using authority = await Authority.create();
    const [first, second] = [await authority.issue(), await authority.issue({ names: ["b.test", "c.test"] })];
    const [one, two] = [readCertificate(first), readCertificate(second)];
    const { clock, keeper, held, workers, published, said } = stage(first);
    const startedAt = clock.date();
    assertEquals(keeper.info(), null);
    await keeper.start();
    for (const worker of workers) worker.certificate = one.fingerprint;
    keeper.tellProgress();
    assertEquals(
      [said(), keeper.snapshot.fingerprint],
      [[], one.fingerprint],
      "what is served from the start is no news",
    );

    await clock.advance(100);
    held.files = second;
    await keeper.look();
    assertEquals(said(), [
      `neutral: another certificate: b.test, c.test by Test CA, expires on ${day(two.notAfter)}`,
    ]);
    assertEquals([published, keeper.snapshot], [[two.fingerprint], {
      ...second,
      fingerprint: two.fingerprint,
    }]);
    workers[0]!.certificate = two.fingerprint;
    keeper.tellProgress();
    assertEquals([said(), keeper.info()], [[], {
      names: ["b.test", "c.test"],
      issuer: "Test CA",
      fingerprint: two.fingerprint,
      notAfter: two.notAfter,
      loadedAt: startedAt + 100,
      changes: { applied: 1, refused: 0 },
      problem: null,
      workers: { serving: 1, all: 3 },
    }]);
    for (const worker of workers) worker.certificate = two.fingerprint;
    keeper.tellProgress();
    keeper.tellProgress();
    assertEquals(said(), [`good: every new handshake gets certificate ${two.fingerprint}`]);

    held.files = { ...second, key: first.key };
    await keeper.look();
    await keeper.look();
    const problem = "the key does not belong to the certificate";
    assertEquals(said(), [
      `bad: the certificate in the files is not served, the one before it is: ${problem}`,
    ]);
    const { changes, problem: told } = keeper.info()!;
    assertEquals([changes, told, published.length], [{ applied: 1, refused: 1 }, problem, 1]);
    held.files = second;
    await keeper.look();
    assertEquals(said(), ["good: the files hold the certificate that is served again"]);
    await keeper.stop();
    assertEquals(clock.waiting, 0);
  },
);

Deno.test(
  "CertificateKeeper warns at a start with a certificate that has expired, and serves it",
  options,
  async () => {
    await using authority = await Authority.create();
    const old = await authority.issue();
    const { notAfter, fingerprint } = readCertificate(old);
    for (const [after, expired] of [[-1, false], [0, true]] as const) {
      const { clock, keeper, said } = stage(old);
      clock.date = () => notAfter + after;
      await keeper.start();
      const warning = `bad: clients refuse the certificate: it expired on ${day(notAfter)}`;
      assertEquals([said(), keeper.snapshot.fingerprint], [expired ? [warning] : [], fingerprint]);
      await keeper.stop();
    }
  },
);

Deno.test("keepCertificate() keeps none without TLS, and says whose a certificate is that cannot be served", async () => {
  const pod = (tls: object | undefined) =>
    ({
      config: { listen: { tls } },
      supervisor: { handles: [], broadcast: () => {} },
      inputs: {
        clock: new ClockOfToday(),
        events: new EventBook(() => 0, () => {}),
        rereadTextFile: () => Promise.resolve("nothing"),
      },
    }) as unknown as Pod;
  assertEquals(await keepCertificate(pod(undefined)), null);
  const error = await assertRejects(
    () => keepCertificate(pod({ certFile: "a", keyFile: "b" })),
    CertificateError,
  );
  assertEquals(error.message, "listen.tls: the certificate file holds no PEM certificate");
});
