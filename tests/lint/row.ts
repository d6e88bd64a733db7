// A row for a lint rule, and the configurations that rows are made of.

export interface LintRow {
  readonly rule: string;
  /** Operator's input, before defaults. */
  readonly bites: object;
  /** Keys of the findings. */
  readonly subjects: readonly string[];
  readonly severity: "error" | "warning";
  readonly fine: object;
  readonly with?: object;
  /** What `fine` is looked at with, if something else. */
  readonly fineWith?: object;
}

export const a = "http://10.0.0.1:8080";
export const b = "http://10.0.0.2:8080";
export const app = { app: { endpoints: [a, b] } };

/** A configuration with one upstream that has these settings. */
export const upstream = (settings: object) => ({ upstreams: { app: { endpoints: [a, b], ...settings } } });
/** A configuration with one route that goes to the only upstream. */
export const route = (settings: object) => ({ upstreams: app, routes: [{ upstream: "app", ...settings }] });
export const matching = (...matches: object[]) => ({
  upstreams: app,
  routes: matches.map((match) => ({ upstream: "app", match })),
});
export const split = (...shares: [upstream: string, weight: number][]) => ({
  upstreams: { a: { endpoints: [a] }, b: { endpoints: [b] } },
  routes: [{ split: shares.map(([upstream, weight]) => ({ upstream, weight })) }],
});
export const redirect = (to: string) => ({ routes: [{ redirect: { to } }] });
/** A configuration with routes that redirect. */
export const redirects = (...routes: [match: object, redirect: object][]) => ({
  routes: routes.map(([match, redirect]) => ({ match, redirect })),
});
/** A manifest of a pod with Weir's container. */
export const weirPod = (container: object, spec: object = {}) => ({
  manifest: [{ kind: "Pod", spec: { containers: [{ name: "weir", ...container }], ...spec } }],
});
