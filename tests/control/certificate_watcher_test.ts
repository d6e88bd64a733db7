import { assertEquals, assertRejects } from "@std/assert";
import { type CertificatePair, readCertificate } from "../../src/control/certificate.ts";
import { CertificateWatcher } from "../../src/control/certificate_watcher.ts";
import { Authority, type Identity } from "../support/certificates.ts";
import { settled } from "../support/settled.ts";
import { needs } from "../support/tools.ts";
import { ClockOfToday } from "../support/virtual_clock.ts";

const options = { sanitizeOps: true, sanitizeResources: true, ...needs("openssl") };
const SECOND_LOOK_MS = 1_000;
const QUIET_MS = 200;
const POLL_MS = 30_000;

/** Two files, a clock and a watch that a test moves by hand. */
class Stage {
  readonly clock = new ClockOfToday();
  readonly said: string[] = [];
  readonly watched: string[] = [];
  refusesTls: string | null = null;
  readonly watcher: CertificateWatcher;
  #writes = 0;

  constructor(public files: CertificatePair) {
    this.watcher = new CertificateWatcher({
      files: { certFile: "/etc/weir/tls/tls.crt", keyFile: "/etc/weir/tls/tls.key" },
      clock: this.clock,
      readTextFile: (path) => Promise.resolve(path.endsWith(".crt") ? this.files.cert : this.files.key),
      identify: (file) => {
        this.watched.push(file);
        return Promise.resolve(`${this.#writes}`);
      },
      tryOut: () => {
        if (this.refusesTls !== null) throw new Error(this.refusesTls);
      },
      onChanged: ({ fingerprint }) => this.said.push(fingerprint),
      onRefused: (problem) => this.said.push(problem),
      onRestored: () => this.said.push("restored"),
      secondLookMs: SECOND_LOOK_MS,
      quietMs: QUIET_MS,
      pollMs: POLL_MS,
    });
  }

  /** Somebody has written the files, and the watch sees it. */
  async touch(): Promise<void> {
    this.#writes++;
    await this.pass(this.clock.due - this.clock.now());
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    await settled();
  }
}

const fingerprint = (identity: Identity) => readCertificate(identity).fingerprint;

async function played(play: (stage: Stage, authority: Authority) => Promise<void>): Promise<void> {
  await using authority = await Authority.create();
  const stage = new Stage(await authority.issue());
  await stage.watcher.start();
  await stage.pass(QUIET_MS);
  try {
    await play(stage, authority);
  } finally {
    await stage.watcher.stop();
  }
  assertEquals(stage.clock.waiting, 0, "nothing is planned once it has stopped");
}

function test(name: string, play: (stage: Stage, authority: Authority) => Promise<void>): void {
  Deno.test({ name: `CertificateWatcher ${name}`, ...options, fn: () => played(play) });
}

test("hands on another pair once its files have been quiet", async (stage, authority) => {
  const next = await authority.issue();
  stage.files = next;
  await stage.touch();
  await stage.pass(QUIET_MS - 1);
  await stage.touch();
  await stage.pass(QUIET_MS - 1);
  assertEquals(stage.said, [], "still changing");
  await stage.pass(1);
  assertEquals(stage.said, [fingerprint(next)]);
  assertEquals([...new Set(stage.watched)], ["/etc/weir/tls/tls.crt", "/etc/weir/tls/tls.key"]);
});

test("says nothing when the files hold what is served", async (stage) => {
  await stage.touch();
  await stage.pass(QUIET_MS);
  await stage.pass(POLL_MS);
  assertEquals(stage.said, []);
});

test("waits for the second file of a pair", async (stage, authority) => {
  const next = await authority.issue();
  stage.files = { cert: next.cert, key: stage.files.key };
  await stage.touch();
  await stage.pass(QUIET_MS);
  assertEquals([stage.said, stage.watcher.problem], [[], null]);
  stage.files = next;
  await stage.touch();
  await stage.pass(QUIET_MS);
  assertEquals(stage.said, [fingerprint(next)]);
  await stage.pass(SECOND_LOOK_MS);
  assertEquals(stage.said.length, 1);
});

test("tells once of a pair that does not fit, and serves on", async (stage, authority) => {
  const before = stage.watcher.current;
  stage.files = { cert: (await authority.issue()).cert, key: stage.files.key };
  await stage.touch();
  await stage.pass(QUIET_MS);
  await stage.pass(SECOND_LOOK_MS);
  const problem = "the key does not belong to the certificate";
  assertEquals(stage.said, [problem]);
  await stage.pass(POLL_MS);
  await stage.pass(POLL_MS);
  assertEquals([stage.said, stage.watcher.problem], [[problem], problem]);
  assertEquals(stage.watcher.current, before);
  const good = await authority.issue();
  stage.files = good;
  await stage.pass(POLL_MS);
  assertEquals([stage.said.at(-1), stage.watcher.problem], [fingerprint(good), null]);
});

test(
  "says that what is served stands in the files again, after something else was refused",
  async (stage, authority) => {
    const served = stage.files;
    stage.files = { cert: served.cert, key: (await authority.issue()).key };
    await stage.touch();
    await stage.pass(QUIET_MS);
    await stage.pass(SECOND_LOOK_MS);
    stage.files = served;
    await stage.pass(POLL_MS);
    await stage.pass(POLL_MS);
    assertEquals([stage.said, stage.watcher.problem], [
      ["the key does not belong to the certificate", "restored"],
      null,
    ]);
  },
);

test(
  "tells of another pair that does not fit, too, and only after a second look at that",
  async (stage, authority) => {
    const problem = "the key does not belong to the certificate";
    const { key } = stage.files;
    for (const said of [[problem], [problem, problem]]) {
      stage.files = { cert: (await authority.issue()).cert, key };
      const before = stage.said.length;
      await stage.watcher.look();
      assertEquals(stage.said.length, before);
      await stage.pass(SECOND_LOOK_MS);
      assertEquals(stage.said, said);
    }
  },
);

test("gives what changes between two looks a second look of its own", async (stage, authority) => {
  const { key } = stage.files;
  for (const ms of [SECOND_LOOK_MS - 1, SECOND_LOOK_MS - 1]) {
    stage.files = { cert: (await authority.issue()).cert, key };
    await stage.watcher.look();
    await stage.pass(ms);
    assertEquals(stage.said, []);
  }
  await stage.pass(1);
  assertEquals(stage.said.length, 1);
});

test(
  "doubts once more what comes back after a good pair, and plans no look meanwhile",
  async (stage, authority) => {
    const served = stage.files;
    const bad = { cert: (await authority.issue()).cert, key: served.key };
    const planned = stage.clock.waiting;
    for (const files of [bad, served, bad]) {
      stage.files = files;
      await stage.watcher.look();
      assertEquals([stage.said, stage.clock.waiting - planned], [[], files === bad ? 1 : 0]);
    }
  },
);

test("looks no more once it is stopped", async (stage, authority) => {
  stage.files = await authority.issue();
  await stage.watcher.stop();
  await stage.watcher.look();
  assertEquals(stage.said, []);
});

Deno.test({
  name: "CertificateWatcher has an expired pair give way to any other",
  ...options,
  fn: async () => {
    await using authority = await Authority.create();
    const stage = new Stage(await authority.issue({ days: -1 }));
    await stage.watcher.start();
    const next = await authority.issue({ days: -1 });
    stage.files = next;
    await stage.watcher.look();
    await stage.watcher.stop();
    assertEquals([stage.said, stage.watcher.current?.cert], [[fingerprint(next)], next.cert]);
  },
});

test("refuses an expired pair in place of a good one", async (stage, authority) => {
  stage.files = await authority.issue({ days: -1 });
  await stage.pass(POLL_MS);
  await stage.pass(SECOND_LOOK_MS);
  assertEquals(stage.said.length, 1);
  assertEquals(/^it expired on /.test(stage.said[0]!), true, stage.said[0]!);
});

test("refuses a pair that is not valid yet in place of a good one", async (stage, authority) => {
  const { cert, key } = await authority.issue({ days: 3 });
  stage.files = { cert: fromNextYear(cert), key };
  await stage.pass(POLL_MS);
  await stage.pass(SECOND_LOOK_MS);
  assertEquals(stage.said.length, 1);
  assertEquals(/^it is not valid before /.test(stage.said[0]!), true, stage.said[0]!);
});

/** The same certificate, with a notBefore that is a year later. Nobody looks at its signature here. */
function fromNextYear(pem: string): string {
  const der = atob(pem.replaceAll(/-----[^-]+-----/g, ""));
  const later = der.replace(/\d\d(?=\d{10}Z)/, (year) => `${Number(year) + 1}`);
  return `-----BEGIN CERTIFICATE-----\n${btoa(later)}\n-----END CERTIFICATE-----\n`;
}

test("refuses what TLS does not take", async (stage, authority) => {
  stage.files = await authority.issue();
  stage.refusesTls = "unsupported curve";
  await stage.pass(POLL_MS);
  await stage.pass(SECOND_LOOK_MS);
  assertEquals(stage.said, ["TLS refuses it: unsupported curve"]);
});

test("takes a file of 1 MiB, and refuses a longer one, whose end is not read", async (stage, authority) => {
  const next = await authority.issue();
  stage.files = { ...next, cert: next.cert.padEnd(1_048_577) };
  await stage.pass(POLL_MS);
  await stage.pass(SECOND_LOOK_MS);
  assertEquals(stage.said, ["/etc/weir/tls/tls.crt cannot be used: it is larger than 1 MiB"]);
  stage.files = { ...next, cert: next.cert.padEnd(1_048_576) };
  await stage.pass(POLL_MS);
  assertEquals(stage.said.slice(1), [fingerprint(next)]);
});

Deno.test({
  name: "CertificateWatcher.start() refuses a pair that cannot be served",
  ...options,
  fn: async () => {
    await using authority = await Authority.create();
    const { cert } = await authority.issue();
    const stage = new Stage({ cert, key: "" });
    await assertRejects(() => stage.watcher.start(), Error, "the key file holds no PEM private key");
    assertEquals(stage.watched, []);
  },
});
