// The tables: one row per endpoint, per worker and per route.

import { byId, clock, el, keyed, latency, percent, rate, setText, span } from "./format.js";

/** A shape for each state, so that colour is never the only sign. */
const SIGNS = {
  serving: "●",
  ejected: "✕",
  unhealthy: "▲",
  unchecked: "○",
  draining: "◐",
  leaving: "◌",
  starting: "○",
  restarting: "▲",
  hung: "✕",
  drained: "◌",
};

const ENDPOINT_COLUMNS = [
  ["State", ""],
  ["Endpoint", ""],
  ["Weight", "n"],
  ["In flight", "n"],
  ["Requests/s", "n"],
  ["Errors", "n"],
  ["p50", "n"],
  ["p99", "n"],
  ["Last check", ""],
];

export function showUpstreams(upstreams, now) {
  keyed(byId("upstreams"), upstreams, (u) => u.name, upstreamCard, (card, upstream) => {
    setText(card.querySelector(".meta"), upstreamMeta(upstream));
    showDiscovery(card.querySelector(".discovery"), upstream.discovery, now);
    const most = Math.max(...upstream.endpoints.map((e) => e.requestsPerSecond), 0);
    keyed(card.querySelector("tbody"), upstream.endpoints, (e) => e.id, endpointRow, (row, endpoint) => {
      showEndpoint(row, endpoint, most, now);
    });
  });
}

function upstreamCard({ name }) {
  const id = `upstream-${name}`;
  const title = el("h2", "", name);
  title.id = id;
  const table = el("table", "endpoints");
  const head = el("tr");
  for (const [label, className] of ENDPOINT_COLUMNS) {
    const cell = el("th", className, label);
    cell.scope = "col";
    head.append(cell);
  }
  table.append(el("thead", "", head), el("tbody"));
  table.setAttribute("aria-labelledby", id);
  const heading = el("div", "title", title, el("p", "meta"));
  const card = el("section", "card", heading, el("ul", "discovery"), table);
  card.setAttribute("aria-labelledby", id);
  return card;
}

function upstreamMeta(upstream) {
  const parts = [upstream.policy, `checks: ${upstream.health}`, `${upstream.inFlight}\u00a0in\u00a0flight`];
  if (upstream.waiting > 0) parts.push(`${upstream.waiting} waiting`);
  if (upstream.retriesPerSecond > 0) parts.push(`${rate(upstream.retriesPerSecond)} retries/s`);
  return parts.join("  ·  ");
}

function showDiscovery(list, sources, now) {
  keyed(list, sources, ({ source }) => source, () => el("li"), (item, source) => {
    item.classList.toggle("bad", source.problem !== null);
    setText(item, discoveryText(source, now));
  });
}

function discoveryText({ source, endpoints, answeredAt, problem, failingSince }, now) {
  const answered = answeredAt === null ? "no answer yet" : `last answer ${span(now - answeredAt)} ago`;
  const parts = [`${problem === null ? "✓" : "✕"} ${source}`];
  if (problem !== null) {
    parts.push(`${problem}, since ${clock(failingSince)}, ${span(now - failingSince)}`);
  }
  parts.push(answered, `${endpoints} ${endpoints === 1 ? "endpoint" : "endpoints"}`);
  return parts.join("  ·  ");
}

function endpointRow() {
  const row = el("tr");
  for (const [label, className] of ENDPOINT_COLUMNS) {
    const cell = el("td", className);
    cell.dataset.label = label;
    row.append(cell);
  }
  row.children[0].append(el("span", "state"));
  row.children[1].append(el("span", "address"), el("span", "why"));
  row.children[4].append(el("span", "value"), el("span", "bar"));
  return row;
}

function showEndpoint(row, endpoint, most, now) {
  const [state, name, weight, inFlight, requests, errors, p50, p99, check] = row.children;
  row.dataset.state = endpoint.state;
  showState(state.firstChild, endpoint.state);
  setText(name.children[0], endpoint.backup ? `${endpoint.id} (backup)` : endpoint.id);
  setText(name.children[1], reason(endpoint, now));
  setText(weight, weightText(endpoint));
  setText(inFlight, String(endpoint.inFlight));
  setText(requests.children[0], rate(endpoint.requestsPerSecond));
  const share = most > 0 ? Math.round(endpoint.requestsPerSecond / most * 100) : 0;
  requests.children[1].style.setProperty("--share", `${share}%`);
  setText(errors, percent(endpoint.errorPercent));
  errors.classList.toggle("bad", endpoint.errorPercent >= 1);
  setText(p50, latency(endpoint.p50Ms));
  setText(p99, latency(endpoint.p99Ms));
  setText(check, checkText(endpoint.lastCheck, now));
}

function showState(node, state) {
  node.dataset.state = state;
  setText(node, `${SIGNS[state] ?? "?"} ${state}`);
}

function reason({ why, ejectedUntil, state }, now) {
  const until = state === "ejected" && ejectedUntil !== null
    ? `until ${clock(ejectedUntil)}, ${span(ejectedUntil - now)} more`
    : "";
  return [why, until].filter((part) => part).join(" · ");
}

function weightText({ weight, weightConfigured }) {
  if (weight === weightConfigured) return String(weightConfigured);
  return `${Math.round(weight * 10) / 10} of ${weightConfigured}`;
}

function checkText(check, now) {
  if (check === null) return "–";
  return `${check.passed ? "✓" : "✕"} ${check.reason}, ${span(now - check.at)} ago`;
}

export function showWorkers(workers) {
  const create = () => cells("", "", "n", "n", "n", "n");
  keyed(byId("workers"), workers, (w) => w.index, create, (row, worker) => {
    const [index, state, inFlight, connections, stall, restarts] = row.children;
    setText(index, String(worker.index));
    if (state.firstChild === null) state.append(el("span", "state"));
    showState(state.firstChild, worker.state);
    state.title = worker.reason ?? "";
    setText(inFlight, String(worker.inFlight));
    setText(connections, worker.connections === null ? "–" : String(worker.connections));
    setText(stall, latency(worker.loopDelayMaxMs));
    setText(restarts, String(worker.restarts));
  });
}

export function showRoutes(routes) {
  const create = () => cells("", "", "n", "n", "n", "n");
  keyed(byId("routes"), routes, (r) => r.name, create, (row, route) => {
    const figures = [
      route.name,
      route.target,
      rate(route.requestsPerSecond),
      percent(route.errorPercent),
      latency(route.p50Ms),
      latency(route.p99Ms),
    ];
    figures.forEach((text, i) => setText(row.children[i], text));
    row.children[3].classList.toggle("bad", route.errorPercent >= 1);
  });
}

function cells(...classNames) {
  return el("tr", "", ...classNames.map((className) => el("td", className)));
}
