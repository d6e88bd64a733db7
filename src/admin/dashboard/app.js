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

/** Without a message for this long the figures are not current, whatever the connection says. */
const SILENCE_MS = 4_000;
/** After this much more silence the connection counts as dead: one that only went quiet tells nobody. */
const RECONNECT_MS = 5_000;

const charts = new Charts(pointAt);
let lastAt = null;
let latest = null;
let pointed = null;
let source = null;
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
  listen();
}

function listen() {
  clearTimeout(silence);
  silence = setTimeout(lost, SILENCE_MS);
}

/** The browser may connect again by itself; whether it does or not, what is not heard by then is replaced. */
function lost() {
  showLink("lost", lastAt);
  clearTimeout(silence);
  silence = setTimeout(connect, RECONNECT_MS);
}

function connect() {
  source?.close();
  source = new EventSource("/events");
  source.addEventListener("history", ({ data }) => charts.replace(JSON.parse(data)));
  source.addEventListener("status", ({ data }) => {
    show(JSON.parse(data));
    heard();
  });
  source.addEventListener("error", lost);
  listen();
}

listenToExplain();
connect();
