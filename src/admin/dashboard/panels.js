// Everything but charts and tables: the verdict, the pod, the timeline, the configuration, explain.

import { byId, bytes, clock, el, keyed, latency, percent, rate, setText, span } from "./format.js";

const VERDICT_SIGNS = { ok: "✓", warning: "!", critical: "✕", waiting: "?" };
const EVENTS_MAX = 50;

export function showVerdict({ level, headline, notes }) {
  const panel = byId("verdict");
  if (panel.dataset.level !== level) panel.dataset.level = level;
  setText(byId("verdict-sign"), VERDICT_SIGNS[level]);
  setText(byId("verdict-headline"), headline);
  sayVerdict(headline);
  const unique = [...new Set(notes)];
  keyed(byId("verdict-notes"), unique, (note) => note, (note) => el("li", "", note), () => {});
  document.title = level === "ok" ? "Weir" : `${VERDICT_SIGNS[level]} ${headline} · Weir`;
}

/** Tells a screen reader of another verdict, and not each second of another percentage in the same one. */
function sayVerdict(headline) {
  const said = byId("verdict-said");
  const gist = headline.replace(/^[\d.]+ %/, "");
  if (said.dataset.gist !== gist) setText(said, headline);
  said.dataset.gist = gist;
}

export function showPod({ pod, now, at }) {
  const facts = [
    pod.version,
    `instance\u00a0${pod.instance}`,
    `up\u00a0${span(at - pod.startedAt)}`,
    `${now.inFlight}\u00a0in\u00a0flight`,
    bytes(pod.residentBytes),
  ];
  if (pod.draining !== null) facts.push(`draining, ends in ${span(pod.draining.deadlineAt - at)}`);
  setText(byId("pod"), facts.join("  ·  "));
}

/** The captions of the charts; `at` is the moment they are of, null for now. */
export function showNow(figures, at) {
  setText(byId("now-requests"), rate(figures.requestsPerSecond));
  setText(byId("now-errors"), percent(figures.errorPercent));
  setText(byId("now-p50"), latency(figures.p50Ms));
  setText(byId("now-p90"), latency(figures.p90Ms));
  setText(byId("now-p99"), latency(figures.p99Ms));
  byId("charts").dataset.at = at === null ? "" : clock(at);
}

const TONE_SIGNS = { good: "✓", bad: "✕", neutral: "·" };

/** Every process numbers its events from 1 on; `instance` tells whose they are. */
export function showEvents(events, instance) {
  const newest = events.slice(-EVENTS_MAX).reverse();
  byId("events-empty").hidden = newest.length > 0;
  keyed(byId("events"), newest, (event) => `${instance} ${event.id}`, eventItem, () => {});
}

function eventItem({ at, kind, tone, text }) {
  const time = el("time", "", clock(at));
  time.dateTime = new Date(at).toISOString();
  const sign = el("span", "tone", TONE_SIGNS[tone]);
  sign.setAttribute("aria-hidden", "true");
  const item = el("li", "", time, sign, el("span", "text", el("span", "kind", kind), ` ${text}`));
  item.dataset.tone = tone;
  return item;
}

export function showConfig({ version, file, lastReload }, certificate, at) {
  const facts = [["Version", String(version)], ["File", file ?? "none: flags and environment"]];
  facts.push(["Last reload", reloadText(lastReload, at)]);
  if (certificate !== null) facts.push(["Certificate", certificateText(certificate, at)]);
  keyed(byId("config"), facts, ([name]) => name, ([name]) => el("div", "", el("dt", "", name), el("dd")), (
    node,
    [, value],
  ) => setText(node.lastChild, value));
  byId("config").dataset.refused = String(lastReload !== null && !lastReload.ok);
  const findings = lastReload?.findings ?? [];
  keyed(byId("config-findings"), findings, (f) => f, (f) => el("li", "", f), () => {});
}

function reloadText(reload, at) {
  if (reload === null) return "none since start";
  return `${reload.ok ? "✓ applied" : "✕ refused"} at ${clock(reload.at)}, ${span(at - reload.at)} ago`;
}

function certificateText({ names, issuer, notAfter, problem, workers }, at) {
  const left = notAfter - at;
  const sign = left > 0 && problem === null ? "✓" : "✕";
  const until = left > 0 ? `for ${span(left)} more` : `expired ${span(-left)} ago`;
  const served = workers.serving < workers.all ? `, at ${workers.serving} of ${workers.all} workers` : "";
  return `${sign} ${names.join(", ")} by ${issuer}, ${until}${served}`;
}

/** Asks /explain and shows its text. What does not begin with a slash is taken for a request id. */
export function listenToExplain() {
  byId("explain").addEventListener("submit", async (event) => {
    event.preventDefault();
    const { method, host, path } = Object.fromEntries(new FormData(event.target));
    const query = path.startsWith("/")
      ? new URLSearchParams({ path, method, ...(host === "" ? {} : { host }) })
      : new URLSearchParams({ id: path });
    const answer = byId("explain-answer");
    answer.hidden = false;
    try {
      const response = await fetch(`/explain?${query}`, { headers: { accept: "text/plain" } });
      setText(answer, await response.text());
    } catch {
      setText(answer, "the pod does not answer");
    }
  });
}

const LINK_WORDS = { live: "● live", lost: "○ no connection", waiting: "○ connecting" };

/** Whether what is shown is current; a verdict that may be wrong by now is taken back. */
export function showLink(state, lastAt) {
  const link = byId("link");
  link.dataset.state = state;
  setText(link, LINK_WORDS[state]);
  document.body.classList.toggle("stale", state === "lost");
  if (state !== "lost") return;
  const notes = lastAt === null ? [] : [`What is shown below is of ${clock(lastAt)}.`];
  showVerdict({ level: "waiting", headline: "No connection to this pod", notes });
}
