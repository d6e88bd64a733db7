// A request whose body is still coming in when its endpoint breaks off goes on elsewhere, and arrives whole.

import { assertEquals } from "@std/assert";
import { afterHead, readBody, reply, reset } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

const uploads: Record<string, { framing: string; first: string; rest: string }> = {
  "of known length": { framing: "Content-Length: 6", first: "abc", rest: "def" },
  "chunked": { framing: "Transfer-Encoding: chunked", first: "3\r\nabc\r\n", rest: "3\r\ndef\r\n0\r\n\r\n" },
};

for (const [what, { framing, first, rest }] of Object.entries(uploads)) {
  scenario(`an upload (${what}) that an endpoint breaks off arrives whole at another`, async (props) => {
    const bad = await props.origin(afterHead(reset()));
    const good = await props.origin(reply(200));
    const loop = await props.loop({ upstreams: [bad.url, good.url] });
    for (let n = 1; n <= 2; n++) {
      const client = await props.client(loop);
      await client.send(`PUT / HTTP/1.1\r\nHost: a.test\r\n${framing}\r\n\r\n${first}`);
      const request = await good.request(n);
      await client.send(rest);
      assertEquals((await client.response()).status, 200);
      assertEquals(await request.text(), "abcdef");
    }
    assertEquals([bad.requests.length, loop.upstreamTotal("retryReset")], [1, 1]);
  });
}

for (const [what, { framing, first, rest }] of Object.entries(uploads)) {
  for (const body of ["", "busy"]) {
    scenario(
      `an upload (${what}) that is answered 503 ${body} half way arrives whole elsewhere`,
      async (props) => {
        const busy = await props.origin(afterHead(reply(503, { body }), readBody()));
        const good = await props.origin(reply(200));
        const upstream = { endpoints: [busy.url, good.url], retry: { onStatus: [503] } };
        const loop = await props.loop({ config: { upstreams: { default: upstream } } });
        for (let n = 1; n <= 2; n++) {
          const client = await props.client(loop);
          await client.send(`PUT / HTTP/1.1\r\nHost: a.test\r\n${framing}\r\n\r\n${first}`);
          const request = await good.request(n);
          await client.send(rest);
          assertEquals([(await client.response()).status, await request.text()], [200, "abcdef"]);
        }
        assertEquals([busy.requests.length, loop.upstreamTotal("retryStatus")], [1, 1]);
      },
    );
  }
}

for (const [what, { framing, first, rest }] of Object.entries(uploads)) {
  scenario(`an upload (${what}) that begins while its retry waits arrives whole`, async (props) => {
    const bad = await props.origin(afterHead(reset()));
    const good = await props.origin(reply(200));
    const retry = { bodyKeptBytesMax: 0, backoffBaseMs: 400, backoffCapMs: 400 };
    const upstream = { endpoints: [bad.url, good.url], retry };
    const loop = await props.loop({ config: { upstreams: { default: upstream } } });
    for (let n = 1; n <= 2; n++) {
      const client = await props.client(loop);
      await client.send(`PUT / HTTP/1.1\r\nHost: a.test\r\n${framing}\r\n\r\n`);
      await until("a retry waits or none is needed", () => {
        return loop.upstreamTotal("retryReset") === 1 || good.requests.length === n;
      });
      await client.send(first);
      const request = await good.request(n);
      await client.send(rest);
      assertEquals([(await client.response()).status, await request.text()], [200, "abcdef"]);
    }
    assertEquals(loop.upstreamTotal("retryReset"), 1);
  });
}
