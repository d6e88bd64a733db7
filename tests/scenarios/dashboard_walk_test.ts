// What a person on call sees of a running Weir: the dashboard in a real browser, opened once and never
// loaded again, while an endpoint fails, dies and comes back and the configuration changes.

import { assertEquals } from "@std/assert";
import { needsChromium, says, startChromium, troubleOf } from "../support/chromium.ts";
import { load } from "../support/load.ts";
import { reply } from "../support/raw_origin.ts";
import { rewrite } from "../support/reload.ts";
import { scenario } from "../support/scenario.ts";
import type { RunningWeir } from "../support/weir.ts";

/** Clients that go on until they are stopped; every one of their requests is to be answered 200. */
function clients(weir: RunningWeir) {
  let going = true;
  const served = (async () => {
    while (going) {
      const { answers, errors } = await load(weir.url, { requests: 40, connections: 4 });
      assertEquals([[...answers.keys()], errors], [[200], []]);
    }
  })();
  return () => {
    going = false;
    return served;
  };
}

scenario("the dashboard tells the story of a bad day, live", async (props) => {
  const [good, bad] = [await props.origin(), await props.origin()];
  const config = (panicPercent: number) => ({
    accessLog: "off",
    upstreams: {
      shop: {
        endpoints: [good.url, bad.url],
        panicPercent,
        health: { kind: "tcp", intervalMs: 200, changingIntervalMs: 100, fall: 2, rise: 2 },
        ejection: { baseMs: 2_000, capMs: 2_000 },
        retry: { onStatus: [503], budgetPercent: 100 },
      },
    },
  });
  const weir = await props.weir({ config: config(20) });
  await using stack = new AsyncDisposableStack();
  const page = await stack.adopt(await startChromium(), (browser) => browser.close()).newPage();
  const trouble = troubleOf(page);
  let loads = 0;
  page.on("load", () => loads++);
  await page.goto(weir.adminUrl);
  const row = `tr[data-key="${bad.url}"]`;

  await says(page, "#verdict-headline", "Both endpoints serve");
  const stopTraffic = stack.adopt(clients(weir), (stop) => stop());
  await says(page, "#now-requests", /^[1-9]/);
  await says(page, `${row} td[data-label="p99"]`, /\d/);

  bad.script = reply(503);
  await says(page, `${row} .state`, "ejected");
  await says(page, `${row} .why`, /\d+ gateway failures in a row · until/);
  await says(page, "#verdict-headline", "1 of 2 endpoints is out");
  await says(page, "#events", `${bad.url} ejected for 2000 ms`);
  bad.script = reply(200);
  await says(page, `${row} .state`, "serving");
  await stopTraffic();

  await bad.stop();
  await says(page, `${row} .state`, "unhealthy");
  await says(page, `${row} .why`, "refused");
  await says(page, "#verdict-notes", `${bad.url} is unhealthy`);
  await bad.listen();
  await says(page, "#verdict-headline", "Both endpoints serve");
  await says(page, "#events", `${bad.url} is healthy, was unhealthy`);

  await rewrite(weir, config(500));
  await says(page, "#verdict-headline", "The last reload was refused");
  await says(page, "#config-findings", "panicPercent is 500");
  await rewrite(weir, config(30));
  await says(page, "#config", "✓ applied");
  await says(page, "#verdict-headline", "Both endpoints serve");
  assertEquals([loads, trouble], [1, []]);
}, needsChromium());
