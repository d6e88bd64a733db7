// What Prometheus sees of a running pod, scrape by scrape, while one of its workers dies under load and is
// replaced: both formats as the specifications want them, and no counter smaller than it was.

import { assert, assertEquals } from "@std/assert";
import { parseExposition } from "../admin/exposition_parser.ts";
import { countingOrigin } from "../support/counting_origin.ts";
import { load } from "../support/load.ts";
import { RunningPod } from "../support/pod.ts";
import { ask } from "../support/raw_client.ts";
import { until } from "../support/until.ts";

const FORMATS = [["openmetrics", "application/openmetrics-text"], ["prometheus", "text/plain"]] as const;

/** Every series that only grows, by name and labels. */
async function scrape(pod: RunningPod): Promise<Map<string, number>> {
  const url = `http://127.0.0.1:${pod.pod.adminPort}`;
  const growing = new Map<string, number>();
  for (const [format, accept] of FORMATS) {
    const page = await ask(url, { target: "/metrics", headers: [["Accept", accept]] });
    assert(page.header("content-type")!.startsWith(accept));
    for (const { type, samples } of parseExposition(page.text, format).values()) {
      if (type !== "counter" && type !== "histogram") continue;
      for (const [key, value] of samples) growing.set(`${format} ${key}`, value);
    }
  }
  return growing;
}

Deno.test({
  name: "no counter runs backwards, in either format, while a worker dies under load and is replaced",
  sanitizeOps: true,
  sanitizeResources: true,
  fn: async () => {
    await using origin = countingOrigin();
    await using pod = await RunningPod.start({ UPSTREAMS: origin.url, WORKERS: "2" });
    let last = new Map<string, number>();
    const look = async () => {
      const now = await scrape(pod);
      const backwards = [...last].filter(([key, value]) => (now.get(key) ?? -1) < value);
      assertEquals(backwards.map(([key, value]) => `${key}: ${value}, then ${now.get(key)}`), []);
      last = now;
    };
    let loading = true;
    const serve = async () => {
      while (loading) await load(pod.url, { requests: 300, connections: 16 });
    };
    const serving = serve();
    await until("both workers have served", async () => {
      await look();
      return last.get("openmetrics weir_requests_total{}")! > 500;
    });
    pod.break(0, "throws");
    await until("it is replaced", async () => {
      await look();
      return pod.restarts(0) === 1;
    });
    await pod.allServe();
    loading = false;
    await serving;
    await look();
    const attempts = last.get(
      `openmetrics weir_endpoint_attempts_total{upstream="default",endpoint="${origin.url}"}`,
    );
    // A worker that dies takes to the grave what it had not counted yet, and nothing that it had.
    assert(
      attempts! <= origin.requests && attempts! >= origin.requests - 16,
      `${attempts} of ${origin.requests}`,
    );
  },
});
