// The dashboard: listens to /events and shows what comes. Nothing is kept but what is on the screen.

import { Charts, errorPercentOf } from "./charts.js";
import {
  listenToExplain,
  showConfig,
  showEvents,
  showLink,
  showNow,
  showPod,
  showVerdict,
} from "./panels.js";
import { showRoutes, showUpstreams, showWorkers } from "./tables.js";

const RECONNECT_MS = 5_000;
/** Without a message for this long the figures are not current, whatever the connection says. */
const SILENCE_MS = 4_000;

const charts = new Charts(pointAt);
let lastAt = null;
let latest = null;
let pointed = null;
let silence;

function show(status) {
  lastAt = status.at;
  latest = status.now;
  showVerdict(status.verdict);
  showPod(status);
  if (pointed === null) showNow(latest, null);
  charts.add(status.point);
  showUpstreams(status.upstreams, status.at);
  showEvents(status.events, status.pod.instance);
  showConfig(status.config, status.certificate, status.at);
  showWorkers(status.workers);
  showRoutes(status.routes);
}

/** The captions show the second that is pointed at, or now. */
function pointAt(point) {
  pointed = point;
  if (point !== null) showNow({ ...point, errorPercent: errorPercentOf(point) }, point.at);
  else if (latest !== null) showNow(latest, null);
}

function heard() {
  showLink("live", lastAt);
  clearTimeout(silence);
  silence = setTimeout(() => showLink("lost", lastAt), SILENCE_MS);
}

function connect() {
  const source = new EventSource("/events");
  source.addEventListener("history", ({ data }) => charts.replace(JSON.parse(data)));
  source.addEventListener("status", ({ data }) => {
    show(JSON.parse(data));
    heard();
  });
  source.addEventListener("error", () => {
    showLink("lost", lastAt);
    // The browser connects again by itself, except after an answer other than 200.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, RECONNECT_MS);
  });
}

listenToExplain();
connect();
