// A hundred changes of the configuration under load, every tenth of them a mistake: nobody notices, and what
// did not change goes on as it was.

import { assert, assertEquals, assertLess } from "@std/assert";
import { countingOrigin } from "../support/counting_origin.ts";
import { load } from "../support/load.ts";
import { reply } from "../support/raw_origin.ts";
import { rewrite } from "../support/reload.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";
import { echo, open } from "../support/websocket.ts";

const RELOADS = 100;
/** Of resident memory over the second half: the heaps of three threads breathe by most of that under load. */
const GROWTH_BYTES_MAX = 128 * 1024 ** 2;
/** Of what the control plane's heap comes down to between collections, from the second quarter to the last. */
const TROUGH_GROWTH_BYTES_MAX = 16 * 1024 ** 2;

scenario(
  `${RELOADS} reloads under load: no request fails, nothing grows, nothing is forgotten`,
  async (props) => {
    await using stack = new AsyncDisposableStack();
    const [steady, visitor] = [stack.use(countingOrigin()), stack.use(countingOrigin())];
    const [sick, talker] = [await props.origin(reply(503)), await props.origin(echo)];
    const config = (panicPercent: number, ...more: string[]) => ({
      upstreams: {
        shop: {
          endpoints: [steady.url, sick.url, ...more],
          panicPercent,
          retry: { onStatus: [503], budgetPercent: 100 },
          ejection: { baseMs: 300_000 },
        },
        talk: { endpoints: [talker.url] },
      },
      routes: [{ match: { path: "/talk" }, upstream: "talk" }, { match: { path: "/*" }, upstream: "shop" }],
    });
    const weir = await props.weir({ config: config(0), workers: 2, env: { ACCESS_LOG: "off" } });
    const peer = await open(await props.client(weir), "/talk");
    const stillTalks = async () => {
      await peer.send("still there?");
      assertEquals(await peer.message(), "still there?");
    };
    const isOut = () => weir.metric("weir_endpoint_state", { endpoint: sick.url, state: "ejected" });
    let reloading = true;
    let answered = 0;
    const loads = (async () => {
      for (; reloading; answered += 200) {
        const { answers, errors } = await load(weir.url, { requests: 200, connections: 8 });
        assertEquals([[...answers.keys()], errors], [[200], []]);
      }
    })();
    await until("the sick one is ejected", async () => await isOut() === 1);
    // In so many requests both workers have heard of it.
    const heard = answered + 600;
    await until("nobody asks it", () => answered >= heard);
    const attempts = sick.requests.length;
    let warmBytes = 0;
    const troughs = [Infinity, Infinity, Infinity, Infinity];
    for (let n = 1; n <= RELOADS; n++) {
      const bad = n % 10 === 0;
      const words = await rewrite(
        weir,
        config(bad ? 1_000 + n : n % 50, ...n % 2 === 0 ? [] : [visitor.url]),
      );
      assertEquals(words.includes("refused"), bad, words);
      // Often enough that nobody asks whether it is still there.
      if (bad) await stillTalks();
      if (n === RELOADS / 2) warmBytes = await weir.residentBytes();
      const quarter = Math.floor((n - 1) * 4 / RELOADS);
      troughs[quarter] = Math.min(troughs[quarter]!, await weir.metric("weir_memory_heap_bytes"));
    }
    reloading = false;
    await loads;
    assertEquals([await isOut(), sick.requests.length], [1, attempts], "the ejection holds");
    await until("all are counted", async () => await weir.metric("weir_requests_total") === answered);
    assertEquals(await weir.metric("weir_client_gone_total"), 0);
    const counted = await weir.metric("weir_endpoint_attempts_total", { endpoint: steady.url });
    assertEquals(counted, steady.requests);
    assert(visitor.requests > 0, "an endpoint that comes takes part");
    assertLess(await weir.residentBytes() - warmBytes, GROWTH_BYTES_MAX);
    assertLess(troughs[3]! - troughs[1]!, TROUGH_GROWTH_BYTES_MAX);
    await peer.close();
  },
);
