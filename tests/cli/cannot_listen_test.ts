// A start that cannot have an address says which one, why, and what chooses another.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { Authority } from "../support/certificates.ts";
import { needs } from "../support/tools.ts";
import { runWeir } from "../support/weir.ts";

/** Beyond this machine: an address for documents (RFC 5737). */
const ELSEWHERE = "192.0.2.1";

Deno.test("a start names the address that it cannot have, and what chooses another", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(taken.addr.port);
  const free = {
    UPSTREAMS: "http://127.0.0.1:1",
    HOST: "127.0.0.1",
    ADMIN_HOST: "127.0.0.1",
    PORT: "0",
    ADMIN_PORT: "0",
  };
  for (
    const [env, words] of [
      [
        { PORT: port },
        `127.0.0.1:${port}: the port is in use by another process; choose another with PORT or --port`,
      ],
      [
        { ADMIN_PORT: port },
        `127.0.0.1:${port}: the port is in use by another process; choose another with ADMIN_PORT or`,
      ],
      [
        { HOST: ELSEWHERE },
        `${ELSEWHERE}:0: this machine has no such address; choose another with HOST or --host`,
      ],
      [
        { ADMIN_HOST: ELSEWHERE },
        `${ELSEWHERE}:0: this machine has no such address; choose another with ADMIN_HOST or`,
      ],
    ] as const
  ) {
    const { code, stderr } = await runWeir(["run"], { ...free, ...env });
    assertStringIncludes(stderr, `cannot listen on ${words}`);
    assertEquals(code, 1);
  }
});

Deno.test(
  "a start names the redirect port that another process has, although that process would share it",
  needs("openssl"),
  async () => {
    await using authority = await Authority.create();
    const files = await authority.install("site", await authority.issue());
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0, reusePort: true });
    const { port } = taken.addr;
    const config = `${authority.directory}/weir.json`;
    await Deno.writeTextFile(config, JSON.stringify({ listen: { tls: { ...files, redirectPort: port } } }));
    const env = {
      UPSTREAMS: "http://127.0.0.1:1",
      CONFIG: config,
      HOST: "127.0.0.1",
      ADMIN_HOST: "127.0.0.1",
      PORT: "0",
      ADMIN_PORT: "0",
    };
    const { code, stderr, stdout } = await runWeir(["run"], env, config);
    assertEquals(
      stderr,
      `cannot listen on 127.0.0.1:${port}: the port is in use by another process; ` +
        "choose another with listen.tls.redirectPort\n",
    );
    assertEquals([code, stdout], [1, ""]);
  },
);
