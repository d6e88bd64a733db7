// A browser loads a page with a hundred scripts over TLS and HTTP/2; skipped where there is no Chromium.

import { assertEquals } from "@std/assert";
import { Authority } from "../support/certificates.ts";
import { needsChromium, startChromium } from "../support/chromium.ts";
import { SCRIPTS, startExpress } from "../support/node_origins.ts";
import { scenario } from "../support/scenario.ts";
import { needs } from "../support/tools.ts";

const options = { ignore: needsChromium().ignore || needs("openssl").ignore, listeners: ["serve"] as const };

/** What the browser has loaded; runs in it. */
function loaded() {
  // deno-lint-ignore no-explicit-any
  const entries = performance.getEntries() as any[];
  return entries.filter(({ nextHopProtocol }) => nextHopProtocol !== undefined).map((entry) => ({
    protocol: entry.nextHopProtocol,
    status: entry.responseStatus,
    empty: entry.decodedBodySize === 0,
  }));
}

scenario("Chromium loads a page with 100 assets over TLS and HTTP/2", async (props) => {
  await using authority = await Authority.create();
  const tls = await authority.install("site", await authority.issue());
  await using origin = await startExpress(tls.certFile);
  const weir = await props.weir({
    config: { listen: { tls }, upstreams: { default: { endpoints: [origin.url] } } },
  });
  const browser = await startChromium();
  try {
    // The browser knows public authorities only; other clients verify the certificate.
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    const trouble: string[] = [];
    page.on("requestfailed", (request) => trouble.push(request.url()));
    page.on("pageerror", (error) => trouble.push(error.message));
    await page.goto(`${weir.url}/page`, { waitUntil: "load" });
    // deno-lint-ignore no-explicit-any
    assertEquals(await page.evaluate(() => (globalThis as any).loaded), SCRIPTS);
    const entries = await page.evaluate(loaded);
    assertEquals(entries.length, 1 + SCRIPTS);
    for (const entry of entries) assertEquals(entry, { protocol: "h2", status: 200, empty: false });
    assertEquals(trouble, []);
  } finally {
    await browser.close();
  }
  assertEquals(await weir.metric("weir_upstream_requests_total", { upstream: "default" }), 1 + SCRIPTS);
}, options);
