// What a sample origin answers: a page that says which origin it is, and paths that behave in the ways an
// origin can: large, slow, failing, broken off, never ending. `/` lists them; every parameter has a limit.

import { type ServerSentEventMessage, ServerSentEventStream } from "@std/http/server-sent-event-stream";

const PAYLOAD_BYTES_MAX = 1_073_741_824;
const SLOW_MS_MAX = 60_000;
const ECHO_BYTES_MAX = 1_048_576;
const EVENTS_MAX = 100_000;
const EVENT_MS_MAX = 60_000;

type Page = (request: Request, query: URLSearchParams, origin: string) => Response | Promise<Response>;

const PAGES: Record<string, { readonly says: string; readonly page: Page }> = {
  "/": { says: "this page", page: indexPage },
  "/ping": { says: "pong", page: (_, __, origin) => text(`pong from ${origin}\n`) },
  "/echo": { says: "the request, as this origin received it", page: echoPage },
  "/payload?size=1024": { says: "so many bytes", page: payloadPage },
  "/slow?ms=500": { says: "answers after so many milliseconds", page: slowPage },
  "/fail?status=503": { says: "answers with this status", page: failPage },
  "/cut": { says: "breaks off in the middle of its answer", page: cutPage },
  "/events": { says: "one server-sent event a second; also count= and ms=", page: eventsPage },
  "/ws": { says: "a WebSocket that sends back what it gets", page: webSocketPage },
};

/** The request handler of the sample origin called `origin`; every answer names it in `x-origin`. */
export function sampleApp(origin: string): (request: Request) => Promise<Response> {
  const pages = new Map(Object.entries(PAGES).map(([link, { page }]) => [link.replace(/\?.*/, ""), page]));
  return async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    const page = pages.get(pathname) ?? notFoundPage;
    const response = await page(request, searchParams, origin);
    if (response.status !== 101) response.headers.set("x-origin", origin);
    return response;
  };
}

function indexPage(_request: Request, _query: URLSearchParams, origin: string): Response {
  const items = Object.entries(PAGES).map(([link, { says }]) =>
    `<li><a href="${link}"><code>${link}</code></a> ${says}</li>`
  );
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${origin}</title>
<h1>This is ${origin}</h1>
<p>A sample origin behind Weir. Reload, and another one may answer.</p>
<ul>
${items.join("\n")}
</ul>
</html>
`;
  return new Response(html, { headers: { "content-type": "text/html; charset=utf-8" } });
}

/** The request as JSON; a body longer than 1 MiB is counted but not shown. */
async function echoPage(request: Request, _query: URLSearchParams, origin: string): Promise<Response> {
  const { bodyBytes, body } = await readBody(request);
  const { method, headers } = request;
  const target = request.url.replace(/^[a-z]+:\/\/[^/?]*/, "");
  return Response.json({ origin, method, target, headers: [...headers], bodyBytes, body });
}

async function readBody(request: Request): Promise<{ bodyBytes: number; body: string }> {
  let bodyBytes = 0;
  let body = "";
  const decoder = new TextDecoder();
  for await (const piece of request.body ?? []) {
    if (bodyBytes < ECHO_BYTES_MAX) body += decoder.decode(piece, { stream: true });
    bodyBytes += piece.length;
  }
  return { bodyBytes, body };
}

function payloadPage(_request: Request, query: URLSearchParams): Response {
  const size = whole(query.get("size"), 1024, PAYLOAD_BYTES_MAX);
  if (size === null) return refused("size", PAYLOAD_BYTES_MAX);
  const block = new Uint8Array(65_536).fill(0x77); // "w"
  let left = size;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left === 0) return controller.close();
      const bytes = Math.min(left, block.length);
      left -= bytes;
      controller.enqueue(block.slice(0, bytes));
    },
  });
  return new Response(body, { headers: { "content-type": "text/plain", "content-length": String(size) } });
}

async function slowPage(request: Request, query: URLSearchParams, origin: string): Promise<Response> {
  const ms = whole(query.get("ms"), 500, SLOW_MS_MAX);
  if (ms === null) return refused("ms", SLOW_MS_MAX);
  await pause(ms, request.signal);
  return text(`${origin} took ${ms} ms\n`);
}

function failPage(_request: Request, query: URLSearchParams, origin: string): Response {
  const status = whole(query.get("status"), 503, 599);
  if (status === null || status < 200) return refused("status", 599);
  if ([204, 205, 304].includes(status)) return new Response(null, { status });
  return text(`${origin} answers ${status} on purpose\n`, status);
}

function cutPage(): Response {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode("the rest of this sen")),
    pull: (controller) => controller.error(new Error("cut on purpose")),
  });
  return new Response(body, { headers: { "content-type": "text/plain", "content-length": "1000" } });
}

function eventsPage(request: Request, query: URLSearchParams, origin: string): Response {
  const count = whole(query.get("count"), EVENTS_MAX, EVENTS_MAX);
  const ms = whole(query.get("ms"), 1_000, EVENT_MS_MAX);
  if (count === null) return refused("count", EVENTS_MAX);
  if (ms === null) return refused("ms", EVENT_MS_MAX);
  let sent = 0;
  const events = new ReadableStream<ServerSentEventMessage>({
    async pull(controller) {
      if (sent > 0) await pause(ms, request.signal);
      if (sent === count || request.signal.aborted) return controller.close();
      controller.enqueue({ id: ++sent, event: "tick", data: `${origin} ${sent}` });
    },
  }, { highWaterMark: 0 });
  const headers = { "content-type": "text/event-stream", "cache-control": "no-store" };
  return new Response(events.pipeThrough(new ServerSentEventStream()), { headers });
}

function webSocketPage(request: Request): Response {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return text("this path speaks WebSocket\n", 426, { upgrade: "websocket" });
  }
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onmessage = ({ data }) => socket.send(data);
  return response;
}

function notFoundPage(_request: Request, _query: URLSearchParams, origin: string): Response {
  return text(`${origin} has no such page; / lists them\n`, 404);
}

/** A query parameter as a whole number: the default when absent, null when it is none from 0 to `max`. */
function whole(value: string | null, absent: number, max: number): number | null {
  if (value === null) return absent;
  const number = Number(value);
  return /^\d+$/.test(value) && number <= max ? number : null;
}

function refused(parameter: string, max: number): Response {
  return text(`${parameter} must be a whole number, at most ${max}\n`, 400);
}

function text(body: string, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers } });
}

/** Settles after `ms`, or at once when the client leaves. */
function pause(ms: number, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    gone.addEventListener("abort", done);
    if (gone.aborted) done();
    function done() {
      clearTimeout(timer);
      gone.removeEventListener("abort", done);
      resolve();
    }
  });
}
