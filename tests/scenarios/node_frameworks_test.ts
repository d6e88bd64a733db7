// Express and Fastify behind Weir, asked by curl in its several ways, over TLS and plain.

import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { Authority } from "../support/certificates.ts";
import { curl } from "../support/curl.ts";
import { startExpress, startFastify, TEXT } from "../support/node_origins.ts";
import { scenario } from "../support/scenario.ts";
import { needs } from "../support/tools.ts";

const options = needs("curl", "openssl");
/** How curl is told to speak, over TLS and plain, and what comes of it. */
const WAYS = {
  serve: {
    https: [["--http1.1", "1.1"], ["--http2", "2"]],
    // Prior knowledge is the one way to HTTP/2 on a plain port: an offer to upgrade is not taken.
    http: [["--http1.1", "1.1"], ["--http2", "1.1"], ["--http2-prior-knowledge", "2"]],
  },
  wire: {
    https: [["--http1.1", "1.1"], ["--http2", "1.1"]],
    http: [["--http1.1", "1.1"], ["--http2", "1.1"]],
  },
} as const;

for (const [name, start] of [["express", startExpress], ["fastify", startFastify]] as const) {
  scenario(`${name} serves curl through Weir, whatever HTTP it speaks`, async (props) => {
    await using authority = await Authority.create();
    const path = `${authority.directory}/file.bin`;
    const content = new Uint8Array(300_000).map((_, i) => i % 251);
    await Deno.writeFile(path, content);
    const sha256 = createHash("sha256").update(content).digest("hex");
    const text = new TextDecoder("latin1").decode(content);
    await using origin = await start(path);
    const upstreams = { default: { endpoints: [origin.url] } };
    const tls = await authority.install("site", await authority.issue());
    const secure = await props.weir({ config: { listen: { tls }, upstreams } });
    const plain = await props.weir({ config: { upstreams } });
    const ways = [
      ...WAYS[props.listener].https.map(([flag, version]) => ["https", secure.url, version, flag] as const),
      ...WAYS[props.listener].http.map(([flag, version]) => ["http", plain.url, version, flag] as const),
    ];
    for (const [proto, url, version, flag] of ways) {
      const ask = (...args: string[]) => curl(flag, "--cacert", authority.caFile, ...args);
      const json = await ask("-H", "Cookie: a=1; b=2", `${url}/json`);
      assertEquals([json.status, json.version, json.code], [200, version, 0], `${flag} ${url}`);
      assertEquals(JSON.parse(json.body), { version: "1.1", proto, cookie: "a=1; b=2" });
      const cookies = json.headers.filter(([name]) => name === "set-cookie").map(([, value]) => value);
      assertEquals(cookies, ["first=1; Path=/", "second=2; Path=/; HttpOnly"]);

      const packed = await ask("--compressed", `${url}/text`);
      assert(packed.headers.some(([name, value]) => name === "content-encoding" && value === "gzip"));
      assertEquals([packed.status, packed.body === TEXT], [200, true]);
      assertEquals((await ask(`${url}/text`)).body === TEXT, true);

      const part = await ask("-r", "1000-1999", `${url}/file`);
      assertEquals([part.status, part.body === text.slice(1000, 2000)], [206, true]);
      const ranges = part.headers.filter(([name]) => name === "content-range");
      assertEquals(ranges, [["content-range", "bytes 1000-1999/300000"]]);

      // Deno refuses a body beside the offer (docs/tls.md).
      if (flag !== "--http2" || proto === "https" || props.listener === "wire") {
        const stored = await ask("-T", path, `${url}/upload`);
        assertEquals([stored.status, JSON.parse(stored.body)], [201, { bytes: 300_000, sha256 }]);
      }
    }
  }, options);
}
