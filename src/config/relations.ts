// Findings about keys that contradict each other, so that the configuration as a whole means nothing.
//
// Called by `validate.ts` with what all sources make together. What is merely unwise is no finding but a lint
// reason. Everything comes in unchecked: what has the wrong shape is passed over here.

import { DEFAULT_CAPACITY } from "../board/layout.ts";
import { type Finding, type PlaceOf, type Problem, type Refuse, refusedBy, showValue } from "./findings.ts";
import { Suggestions } from "./nearest.ts";
import { isMap, listAt, mapAt, type Path, valueAt } from "./path.ts";
import { adminSchema, listenSchema } from "./schema.ts";
import { DEFAULT_UPSTREAM } from "./sources.ts";
import { stickyKeyFault } from "./sticky_key.ts";
import { name as nameSchema } from "./units.ts";

export interface Surroundings {
  readonly placeOf: PlaceOf;
  /** The variable WEIR_STICKY_KEY without blanks around it; "" when it is not set. */
  readonly stickyKey: string;
}

/** All contradictions between keys of `input`. */
export function relationFindings(input: unknown, { placeOf, stickyKey }: Surroundings): Finding[] {
  const fault = stickyKey === "" ? null : stickyKeyFault(stickyKey);
  const variable = "variable WEIR_STICKY_KEY";
  const hasKey = stickyKey !== "" || valueAt(input, ["stickyKeyFile"]) !== undefined;
  const upstreams = mapAt(input, ["upstreams"]);
  // Where they are written as a list, say, that is one mistake, and not one more in each route.
  const { upstreams: named = {} } = isMap(input) ? input : {};
  const names = isMap(named) ? new UpstreamNames(Object.keys(named)) : null;
  const refused = refusedBy((refuse) => {
    checkPorts(input, refuse);
    checkProxyProtocol(input, refuse);
    checkWayOut(input, refuse);
    checkRoom(input, refuse);
    checkRouteNames(listAt(input, ["routes"]), refuse);
    listAt(input, ["routes"]).forEach((route, index) => {
      if (isMap(route)) checkRoute(route, ["routes", index], names, refuse);
    });
    for (const [name, upstream] of Object.entries(upstreams)) {
      checkUpstream(upstream, ["upstreams", name], hasKey, refuse);
    }
  }, placeOf);
  return fault === null ? refused : [...refused, { ...fault, subject: variable, place: variable }];
}

/** A name is how metrics, logs and reloads know a route. */
function checkRouteNames(routes: readonly unknown[], refuse: Refuse): void {
  const firstOf = new Map<string, number>();
  routes.forEach((route, index) => {
    const name = valueAt(route, ["name"]);
    if (typeof name !== "string") return;
    const first = firstOf.get(name);
    if (first === undefined) return void firstOf.set(name, index);
    refuse(["routes", index, "name"], {
      state: `is ${showValue(name)}, the name of routes[${first}]`,
      accepted: "must be a name of its own",
    });
  });
}

const ACTIONS = ["upstream", "split", "redirect", "respond"];

function checkRoute(
  route: Record<string, unknown>,
  path: Path,
  upstreams: UpstreamNames | null,
  refuse: Refuse,
): void {
  const written = ACTIONS.filter((action) => Object.hasOwn(route, action));
  const accepted = `must have exactly one of ${ACTIONS.join(", ")}`;
  if (written.length === 0) refuse(path, { state: "says nothing of what becomes of its requests", accepted });
  if (written.length > 1) refuse(path, { state: `has ${written.join(" and ")}`, accepted });
  if (upstreams === null) return;
  checkUpstreamName(route["upstream"], [...path, "upstream"], upstreams, refuse);
  listAt(route, ["split"]).forEach((_, index) => {
    const name = valueAt(route, ["split", index, "upstream"]);
    checkUpstreamName(name, [...path, "split", index, "upstream"], upstreams, refuse);
  });
}

/** What could be no upstream's name has the wrong shape. */
function checkUpstreamName(name: unknown, path: Path, upstreams: UpstreamNames, refuse: Refuse): void {
  if (typeof name !== "string" || !nameSchema().safeParse(name).success || upstreams.has(name)) return;
  refuse(path, { state: `is ${showValue(name)}, which is no upstream`, ...upstreams.insteadOf(name) });
}

/** Names that a finding lists. */
const LISTED_MAX = 20;

/** The names of the upstreams, and what to write in place of one that is none: bounded, however many there are. */
class UpstreamNames {
  private readonly all: ReadonlySet<string>;
  private readonly accepted: string;
  private readonly suggestions = new Suggestions();

  constructor(private readonly names: readonly string[]) {
    this.all = new Set(names);
    const further = names.length > LISTED_MAX ? ` and ${names.length - LISTED_MAX} more` : "";
    this.accepted = names.length === 0
      ? "must be written under upstreams"
      : `must be one of ${names.slice(0, LISTED_MAX).join(", ")}${further}`;
  }

  has(name: string): boolean {
    return this.all.has(name);
  }

  insteadOf(name: string): Pick<Problem, "accepted" | "nearest"> {
    const near = this.suggestions.nearest(name, this.names.slice(0, DEFAULT_CAPACITY.upstreamsMax));
    return near === undefined ? { accepted: this.accepted } : { nearest: near };
  }
}

/** With no route written every request goes to one upstream; it must be clear to which. */
function checkWayOut(input: unknown, refuse: Refuse): void {
  const upstreams = Object.keys(mapAt(input, ["upstreams"]));
  const routes = valueAt(input, ["routes"]);
  const routed = routes !== undefined && !(Array.isArray(routes) && routes.length === 0);
  if (routed || upstreams.length < 2 || upstreams.includes(DEFAULT_UPSTREAM)) return;
  refuse(["upstreams"], {
    state: `has ${upstreams.length} upstreams and no route says which takes what`,
    accepted: `must have one named ${DEFAULT_UPSTREAM}, or routes must be written`,
  });
}

/** The board has only so many rows, and discovered endpoints need some as well. */
function checkRoom(input: unknown, refuse: Refuse): void {
  const { upstreamsMax, endpointsMax, routesMax } = DEFAULT_CAPACITY;
  const upstreams = Object.values(mapAt(input, ["upstreams"]));
  const endpoints = upstreams.reduce<number>(
    (sum, upstream) => sum + listAt(upstream, ["endpoints"]).length,
    0,
  );
  const rows = [
    { path: "upstreams", what: "upstreams", count: upstreams.length, max: upstreamsMax },
    { path: "upstreams", what: "endpoints", count: endpoints, max: endpointsMax },
    { path: "routes", what: "routes", count: listAt(input, ["routes"]).length, max: routesMax },
  ];
  for (const { path, what, count, max } of rows) {
    if (count > max) refuse([path], { state: `has ${count} ${what}`, accepted: `must have at most ${max}` });
  }
}

function checkUpstream(upstream: unknown, path: Path, hasStickyKey: boolean, refuse: Refuse): void {
  if (isMap(valueAt(upstream, ["sticky"])) && !hasStickyKey) {
    refuse([...path, "sticky"], {
      state: "has no key that signs its cookie",
      accepted: "must have one: stickyKeyFile, or the variable WEIR_STICKY_KEY, the same in all pods",
    });
  }
  const health = mapAt(upstream, ["health"]);
  if (health["kind"] === "http" && health["path"] === undefined) {
    refuse([...path, "health", "path"], {
      state: "is missing",
      accepted: 'must be written when kind is http, like "/healthz"',
    });
  }
  const tls = mapAt(upstream, ["tls"]);
  for (const [there, absent] of [["certFile", "keyFile"], ["keyFile", "certFile"]] as const) {
    if (tls[there] === undefined || tls[absent] !== undefined) continue;
    refuse([...path, "tls", absent], {
      state: "is missing",
      accepted: `must be written together with ${there}`,
    });
  }
}

/** Two listeners of one process cannot share a port, unless they have different addresses. */
function checkPorts(input: unknown, refuse: Refuse): void {
  const fallback = { listen: listenSchema.parse({}), admin: adminSchema.parse({}) };
  const listenHost = valueAt(input, ["listen", "host"]) ?? fallback.listen.host;
  const listeners = [
    { path: ["listen", "port"], host: listenHost, fallback: fallback.listen.port },
    { path: ["listen", "tls", "redirectPort"], host: listenHost, fallback: 0 },
    {
      path: ["admin", "port"],
      host: valueAt(input, ["admin", "host"]) ?? fallback.admin.host,
      fallback: fallback.admin.port,
    },
  ].map((listener) => ({ ...listener, port: valueAt(input, listener.path) ?? listener.fallback }));
  listeners.forEach((later, index) => {
    for (const earlier of listeners.slice(0, index)) {
      // Port 0 asks the system for any free one.
      if (later.port === 0 || later.port !== earlier.port || !hostsMeet(later.host, earlier.host)) continue;
      const [subject, other] = valueAt(input, later.path) === undefined ? [earlier, later] : [later, earlier];
      const accepted = `must differ from ${other.path.join(".")}, which is the same`;
      refuse(subject.path, { state: `is ${showValue(later.port)}`, accepted });
    }
  });
}

/** The PROXY header stands in plain text before all else, where neither Deno.serve nor TLS lets Weir read it. */
function checkProxyProtocol(input: unknown, refuse: Refuse): void {
  const path = ["listen", "proxyProtocol"];
  if (valueAt(input, path) !== true) return;
  const listen = mapAt(input, ["listen"]);
  if ((listen["listener"] ?? "serve") === "serve") {
    refuse(path, {
      state: "is true with the listener serve, which cannot read the PROXY header",
      accepted: "must be false, or listen.listener wire",
    });
  } else if (listen["tls"] !== undefined) {
    refuse(path, {
      state: "is true with listen.tls, and the PROXY header comes before the TLS handshake",
      accepted: "must be false, or TLS must end in front of Weir",
    });
  }
}

function hostsMeet(a: unknown, b: unknown): boolean {
  const everywhere = ["0.0.0.0", "::"];
  return a === b || everywhere.includes(String(a)) || everywhere.includes(String(b));
}
