// Thousands of clients that keep their connections and ask for nothing: cheap, and no burden to those who ask.
//
// With WEIR_TEST_FULL=1 ten thousand of them beside a thousand at work, which needs 25,000 file descriptors.

import { assertEquals, assertLess } from "@std/assert";
import { load } from "../support/load.ts";
import { requestText } from "../support/raw_client.ts";
import { latin1 } from "../support/raw_http.ts";
import { reply } from "../support/raw_origin.ts";
import { ALL_BUT_SERVE, scenario } from "../support/scenario.ts";
import type { RunningWeir } from "../support/weir.ts";

const full = Deno.env.get("WEIR_TEST_FULL") === "1";
const IDLE = full ? 10_000 : 1_000;
const ACTIVE = full ? 1_000 : 100;
const AT_ONCE = 100;
const IDLE_BYTES_MAX = 16_384;
/** What the engine takes for its own sake when first traffic comes; it does not grow with connections. */
const WARM_UP_BYTES = full ? 0 : 16 * 1_048_576;

scenario(
  `${IDLE} idle connections cost little, and ${ACTIVE} at work are served beside them`,
  async (props) => {
    const origin = await props.origin(reply(200, { body: "x".repeat(1_000) }));
    const weir = await props.weir({
      config: {
        upstreams: { default: { endpoints: [origin.url] } },
        listen: { connectionsMax: IDLE + ACTIVE },
      },
      env: { ACCESS_LOG: "off" },
    });
    const atRest = await weir.ownBytes();
    await load(weir.url, { requests: 10_000, connections: AT_ONCE });
    const warm = await weir.ownBytes();

    await using connections = new AsyncDisposableStack();
    for (let count = 0; count < IDLE; count += AT_ONCE) {
      const some = await Promise.all(Array.from({ length: AT_ONCE }, () => serveOnce(weir)));
      for (const connection of some) connections.defer(() => connection.close());
    }
    const each = (await weir.ownBytes() - warm) / IDLE;
    const { answers, errors } = await load(weir.url, { requests: ACTIVE * 10, connections: ACTIVE });
    console.log(
      `at rest ${mb(atRest)} MB, warm ${mb(warm)} MB, ${Math.round(each)} bytes an idle connection`,
    );
    assertEquals([[...answers], errors], [[[200, ACTIVE * 10]], []]);
    assertLess(each, IDLE_BYTES_MAX + WARM_UP_BYTES / IDLE);
  },
  { listeners: ALL_BUT_SERVE },
);

/** A connection that has had one answer. */
async function serveOnce({ url }: RunningWeir): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
  await connection.write(latin1(requestText("GET", "/")));
  await connection.read(new Uint8Array(4_096));
  return connection;
}

function mb(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}
