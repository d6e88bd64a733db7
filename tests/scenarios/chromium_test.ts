// A browser's own WebSocket and EventSource through Weir; skipped where there is no Chromium.

import { assertEquals } from "@std/assert";
import { needsChromium, startChromium } from "../support/chromium.ts";
import { chunk, Gate, head, reply, replyRaw, scene, type Step, wait } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { startWsOrigin } from "../support/ws_server.ts";

const options = needsChromium();

/** What the page is told to do; runs in the browser. */
async function chat(): Promise<unknown> {
  const socket = new WebSocket(location.href.replace("http", "ws") + "chat", ["v1", "v2"]);
  socket.binaryType = "arraybuffer";
  const next = () => new Promise<MessageEvent>((resolve) => socket.onmessage = resolve);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("no WebSocket"));
  });
  socket.send("héllo");
  const text = (await next()).data;
  socket.send(new Uint8Array(1_048_576).fill(7));
  const bytes = new Uint8Array((await next()).data);
  const closed = new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
  socket.close(3000, "bye");
  const { code, reason, wasClean } = await closed;
  const whole = bytes.length === 1_048_576 && bytes.every((byte) => byte === 7);
  return { protocol: socket.protocol, extensions: socket.extensions, text, whole, code, reason, wasClean };
}

scenario("Chromium's WebSocket talks through Weir and closes cleanly", async (props) => {
  await using sockets = await startWsOrigin();
  const pages = await props.origin(reply(200, { headers: [["Content-Type", "text/html"]], body: "<p>" }));
  const weir = await props.loop({
    config: {
      upstreams: { pages: { endpoints: [pages.url] }, sockets: { endpoints: [sockets.url] } },
      routes: [
        { match: { path: "/chat" }, upstream: "sockets" },
        { match: { path: "/" }, upstream: "pages" },
      ],
    },
  });
  const browser = await startChromium();
  try {
    const page = await browser.newPage();
    await page.goto(weir.url);
    assertEquals(await page.evaluate(chat), {
      protocol: "v2",
      extensions: "",
      text: "héllo",
      whole: true,
      code: 3000,
      reason: "bye",
      wasClean: true,
    });
  } finally {
    await browser.close();
  }
}, options);

const EVENTS = 20;

scenario("Chromium's EventSource sees each event before the next is sent", async (props) => {
  const gate = new Gate();
  const page: Step = reply(200, { headers: [["Content-Type", "text/html"]], body: "<p>" });
  const stream = head(200, [["Content-Type", "text/event-stream"], ["Transfer-Encoding", "chunked"]]);
  const events = Array.from(
    { length: EVENTS },
    (_, n) => scene(wait(gate), replyRaw(chunk(`data: ${n}\n\n`))),
  );
  const origin = await props.origin([page, reply(404), scene(stream, ...events)]);
  const weir = await props.loop({ upstreams: origin.url });
  const browser = await startChromium();
  try {
    const tab = await browser.newPage();
    await tab.goto(weir.url);
    await origin.request(2);
    await tab.evaluate(() => {
      const seen: string[] = [];
      const source = new EventSource("/events");
      source.onmessage = ({ data }) => seen.push(data);
      Object.assign(globalThis, { seen, source });
    });
    for (let n = 0; n < EVENTS; n++) {
      gate.open(1);
      // deno-lint-ignore no-explicit-any
      await tab.waitForFunction((count) => (globalThis as any).seen.length === count, n + 1);
    }
    // deno-lint-ignore no-explicit-any
    const seen = await tab.evaluate(() => (globalThis as any).seen);
    assertEquals(seen, Array.from({ length: EVENTS }, (_, n) => String(n)));
  } finally {
    await browser.close();
  }
}, options);
