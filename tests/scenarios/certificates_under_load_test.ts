// Certificates change while clients come and go. Nobody may lose a request; what waits in the queue of a socket
// that closes is the kernel's, and counted: none where it hands the queue on (net.ipv4.tcp_migrate_req=1).
//
// With WEIR_TEST_FULL=1 there are twenty changes, one a second, and the same once more in a network namespace.

import { assert, assertEquals } from "@std/assert";
import { readCertificate } from "../../src/control/certificate.ts";
import { Authority, type Identity } from "../support/certificates.ts";
import { reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { END_OF_ANSWER, TlsLoad } from "../support/tls_load.ts";
import { needs, requireTool } from "../support/tools.ts";

const full = Deno.env.get("WEIR_TEST_FULL") === "1";
/** Set where the kernel hands the queue of a socket that closes to another one. */
const queueIsHandedOn = Deno.env.get("WEIR_TEST_QUEUE_IS_HANDED_ON") === "1";
const CHANGES = full ? 20 : 3;
const options = { ...needs("openssl"), listeners: ["serve", "wire"] as const };

scenario("certificates change under load, and no request is lost", async (props) => {
  await using authority = await Authority.create();
  const identities: Identity[] = [];
  for (let i = 0; i <= CHANGES; i++) identities.push(await authority.issue());
  const tls = await authority.install("site", identities[0]!);
  const origin = await props.origin(reply(200, { body: END_OF_ANSWER }));
  const config = { listen: { tls }, upstreams: { default: { endpoints: [origin.url] } } };
  const weir = await props.weir({ config, workers: 2, env: { ACCESS_LOG: "off" } });

  const load = new TlsLoad(weir.url, authority.cert, identities, origin);
  try {
    for (let i = 1; i < identities.length; i++) {
      await authority.install("site", identities[i]!);
      const { fingerprint } = readCertificate(identities[i]!);
      await weir.line(new RegExp(`every new handshake gets certificate ${fingerprint}`));
      load.complete = i;
      if (full) await new Promise((resolve) => setTimeout(resolve, 1_000));
      else await load.more(50);
    }
  } finally {
    await load.stop();
  }
  const { answered, noHandshake, unread } = load;
  console.log(`${CHANGES} changes, ${answered} answered, ${unread} lost, ${noHandshake} reset in a queue`);
  assertEquals([load.wrong, unread], [[], 0]);
  if (queueIsHandedOn) assertEquals(noHandshake, 0);
  assert(noHandshake <= answered / 20, "more than what a queue may hold");
}, options);

if (!full) console.log("ignoring a test that needs WEIR_TEST_FULL=1, as it takes half a minute");

Deno.test({
  name: "where the kernel hands queues on, certificates change under load and nobody is reset",
  ignore: !full || needs("openssl", "ip", "unshare").ignore,
  async fn() {
    const inside = `ip link set lo up && echo 1 > /proc/sys/net/ipv4/tcp_migrate_req && exec "$@"`;
    const test = ["test", "--frozen", "--allow-all", "--filter", "no request is lost", import.meta.filename!];
    const { success } = await new Deno.Command(requireTool("unshare"), {
      args: ["--net", "sh", "-c", inside, "sh", Deno.execPath(), ...test],
      env: { WEIR_TEST_QUEUE_IS_HANDED_ON: "1" },
    }).spawn().status;
    assert(success);
  },
});
