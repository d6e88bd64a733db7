// What the admin server answers: one function from a request to a response.
//
// Read-only: GET and HEAD, nothing else. The Host header is never looked at, so it can neither mislead nor
// be reflected. Nothing is cached, and an error is an answer of 500, never the end of the process.

import { accepts } from "@std/http/negotiation";
import { messageOf } from "../error_message.ts";
import type { Question } from "../messages.ts";
import { type Asset, asset, ASSET_PATHS } from "./assets.ts";
import type { EventFeed } from "./event_feed.ts";
import { EXPLAIN_USAGE, explanationText, latestAnswer, questionOf, withReasons } from "./explain.ts";
import { CONTENT_TYPE, type Format } from "./exposition.ts";
import { metricsPage } from "./metrics.ts";
import { read } from "./reading.ts";
import { sharedPage } from "./shared_page.ts";
import type { Status } from "./status_shape.ts";
import type { AdminView, ProbeState } from "./view.ts";

export interface HandlerInputs {
  readonly view: AdminView;
  readonly feed: EventFeed;
  readonly slowPages: SlowPages;
  /** The messages that a dashboard gets first. */
  greeting(): { event: string; data: string; retry?: number }[];
  /** Told in words what went wrong while answering. */
  onProblem(problem: string): void;
}

/** What takes long where there are thousands of endpoints. */
type SlowPages = Readonly<Record<"status" | Format, () => Promise<Reply>>>;

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string | ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Asked {
  readonly query: URLSearchParams;
  readonly request: Request;
  readonly peer: string;
}

const JSON_TYPE = "application/json";
const TEXT_TYPE = "text/plain; charset=utf-8";

/** Scripts, styles and connections from here only; nothing inline, nothing framed. */
const SECURITY_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

type Page = (inputs: HandlerInputs, asked: Asked) => Reply | Promise<Reply>;

const PAGES: Readonly<Record<string, Page>> = {
  "/": () => assetReply(asset("/dashboard/index.html")!),
  "/livez": ({ view }) => probeReply(view.probes(), "live"),
  "/readyz": ({ view }) => probeReply(view.probes(), "ready"),
  "/startupz": ({ view }) => probeReply(view.probes(), "started"),
  "/metrics": metrics,
  "/status": ({ slowPages }) => slowPages.status(),
  "/config": ({ view }) => text(200, view.config().effective),
  "/events": events,
  "/explain": explain,
};

/** Answers one request; never rejects. `peer` is the address that asks. */
export async function answer(inputs: HandlerInputs, request: Request, peer: string): Promise<Response> {
  let reply: Reply;
  try {
    reply = await replyTo(inputs, request, peer);
  } catch (error) {
    inputs.onProblem(`admin ${request.method} failed: ${messageOf(error)}`);
    reply = text(500, "something went wrong here; the log says what\n");
  }
  const { status, body } = reply;
  const headers = new Headers({ "content-type": reply.type, ...SECURITY_HEADERS, ...reply.headers });
  if (request.method !== "HEAD") return new Response(body, { status, headers });
  // RFC 9110 8.6: the length that GET's answer has. Deno would say 0.
  if (typeof body === "string") headers.set("content-length", String(new TextEncoder().encode(body).length));
  return new Response(null, { status, headers });
}

function replyTo(inputs: HandlerInputs, request: Request, peer: string): Reply | Promise<Reply> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return { ...text(405, "read-only: GET and HEAD\n"), headers: { allow: "GET, HEAD" } };
  }
  const { path, query } = target(request);
  const page = Object.hasOwn(PAGES, path) ? PAGES[path] : undefined;
  if (page !== undefined) return page(inputs, { query, request, peer });
  const file = asset(path);
  if (file !== undefined) return assetReply(file);
  return text(404, `nothing at this path; there is:\n${Object.keys(PAGES).join("\n")}\n`);
}

/** Path and query of a request. Deno pastes Host into `url` unchecked, so that part is cut off, not parsed. */
function target(request: Request): { path: string; query: URLSearchParams } {
  const host = request.headers.get("host") ?? "";
  const start = request.url.startsWith(`http://${host}`) && host !== ""
    ? `http://${host}`.length
    : request.url.indexOf("/", "http://".length);
  const raw = request.url.slice(start);
  const mark = raw.indexOf("?");
  const query = new URLSearchParams(mark < 0 ? "" : raw.slice(mark + 1));
  return { path: mark < 0 ? raw : raw.slice(0, mark), query };
}

function probeReply(state: ProbeState, probe: "live" | "ready" | "started"): Reply {
  const passed = state[probe];
  return json(passed ? 200 : 503, { probe, passed, reasons: state.reasons });
}

/** @param turn settles when the event loop has turned */
export function slowPages(
  view: AdminView,
  status: () => Status,
  turn?: () => Promise<void>,
): SlowPages {
  const metricsReply = (format: Format) =>
    sharedPage(
      () => ({ status: 200, type: CONTENT_TYPE[format], body: metricsPage(read(view), format) }),
      turn,
    );
  return {
    status: sharedPage(() => json(200, status()), turn),
    prometheus: metricsReply("prometheus"),
    openmetrics: metricsReply("openmetrics"),
  };
}

function metrics({ slowPages }: HandlerInputs, { request }: Asked): Promise<Reply> {
  // A scraper's types carry parameters (version, escaping) that negotiation would take for other types.
  const accept = (request.headers.get("accept") ?? "*/*").replaceAll(/;(?!\s*q=)[^;,=]+=[^;,]*/gi, "");
  const chosen = accepts({ headers: new Headers({ accept }) }, "text/plain", "application/openmetrics-text");
  return slowPages[chosen === "application/openmetrics-text" ? "openmetrics" : "prometheus"]();
}

function events({ feed, greeting }: HandlerInputs, { request }: Asked): Reply {
  if (request.method === "HEAD") return { status: 200, type: "text/event-stream", body: "" };
  const body = feed.open(greeting);
  if (body === null) {
    return { ...text(503, "too many dashboards are open\n"), headers: { "retry-after": "10" } };
  }
  return { status: 200, type: "text/event-stream", body };
}

async function explain(inputs: HandlerInputs, { request, query, peer }: Asked): Promise<Reply> {
  const asJson = accepts(request, "text/plain", "application/json") === "application/json";
  const refusal = (status: number, problem: string, help = "") =>
    asJson ? json(status, { problem }) : text(status, `${problem}\n${help}`);
  const question = questionOf(query, peer);
  if ("problem" in question) return refusal(400, question.problem, EXPLAIN_USAGE);
  const found = latestAnswer(await inputs.view.ask(question));
  if (found === null) return refusal(404, nobodyKnows(question));
  const told = withReasons(found, inputs.view.upstreams());
  return asJson ? json(200, told) : text(200, explanationText(told));
}

function nobodyKnows(question: Question): string {
  return question.kind === "explainId"
    ? `no worker remembers request ${question.requestId}: only the last ones are kept (explainRequestsMax)`
    : "no worker answered in time";
}

function assetReply({ type, body }: Asset): Reply {
  return { status: 200, type, body };
}

function json(status: number, value: unknown): Reply {
  return { status, type: JSON_TYPE, body: JSON.stringify(value, null, 2) + "\n" };
}

function text(status: number, body: string): Reply {
  return { status, type: TEXT_TYPE, body };
}

/** Every path that answers, for documents and tests. */
export const ADMIN_PATHS: readonly string[] = [...Object.keys(PAGES), ...ASSET_PATHS];
