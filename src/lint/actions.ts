// Lint rules about what becomes of a route's requests: answers that lead nowhere, settings without effect.

import { foreignVariable } from "../config/foreign_variables.ts";
import type { MatchConfig, RouteConfig } from "../config/schema.ts";
import { parseHostPattern } from "../routing/host_pattern.ts";
import { parsePathPattern, pathCovers } from "../routing/path_pattern.ts";
import { type LintReport, type LintRule, perRoute } from "./finding.ts";

const splitWeights = perRoute("route-split-weights", ({ split = [] }, path) => {
  const names = split.map(({ upstream }) => upstream);
  const repeated = names.find((name, i) => names.indexOf(name) < i);
  const reports: LintReport[] = [];
  if (split.length > 0 && split.every(({ weight }) => weight === 0)) {
    reports.push({
      path: [...path, "split"],
      severity: "error",
      state: "has only weights of 0",
      why: "No side may get a request.",
      fix: "Give at least one side a weight above 0.",
    });
  }
  if (repeated !== undefined) {
    reports.push({
      path: [...path, "split"],
      severity: "warning",
      state: `names ${repeated} more than once`,
      why: "Its weights add up, which is easily overlooked when one of them is changed.",
      fix: "Write each upstream once.",
    });
  }
  return reports;
});

const splitStickyAlone = perRoute(
  "route-sticky-without-split",
  (route, path) =>
    !route.splitSticky || route.split !== undefined ? [] : [{
      path: [...path, "splitSticky"],
      severity: "warning",
      state: "is true on a route without split",
      why: "It has no effect: it chooses between the sides of a split, not between endpoints.",
      fix: "Remove it; `upstreams.*.sticky` keeps a client at one endpoint.",
    }],
);

const splitOfSticky = perRoute(
  "route-split-of-sticky",
  ({ split = [], splitSticky }, path, { upstreams }) => {
    const sides = split.filter(({ weight }) => weight > 0);
    const sticky = sides.find(({ upstream }) => upstreams[upstream]?.sticky !== undefined)?.upstream;
    return splitSticky || sides.length < 2 || sticky === undefined ? [] : [{
      path: [...path, "split"],
      severity: "warning",
      state: `goes by turns, and ${sticky} keeps clients by a cookie`,
      why:
        "A client's next request goes to another side, which does not know its cookie or writes its own over it.",
      fix: "Set splitSticky: true.",
    }];
  },
);

const rewriteMisses = perRoute("route-rewrite-misses", ({ match, rewrite }, path) => {
  const from = rewrite?.stripPrefix ?? rewrite?.replacePrefix?.from;
  if (from === undefined) return [];
  const both = rewrite?.stripPrefix !== undefined && rewrite.replacePrefix !== undefined;
  const below = parsePathPattern(from.replace(/\/$/, "") + "/*");
  const misses = match.path !== undefined && !pathCovers(below, parsePathPattern(match.path));
  return !both && !misses ? [] : [{
    path: [...path, "rewrite"],
    severity: "warning",
    state: both
      ? "has stripPrefix and replacePrefix"
      : `starts at "${from}", but the route's path is "${match.path}"`,
    why: both
      ? "The second works on what the first has left, which is rarely meant."
      : "A path that is not below the prefix goes on as it is.",
    fix: both ? "Write one: `replacePrefix` with `to: /` strips." : "Write a prefix of the route's own path.",
  }];
});

const PLACEHOLDERS = ["{host}", "{path}", "{query}"];
/** What a regular expression captured, where there is one: `$1`, `${1}`, `\1`. More digits are an amount: `$100`. */
const GROUP = /\$\d(?!\.?\d)|\$\{\d\}|\\\d/;

const redirectTarget = perRoute("route-redirect-target", ({ match, redirect }, path, { listen }) => {
  if (redirect === undefined) return [];
  const at = { path: [...path, "redirect", "to"] };
  const unknown = foreignVariable(redirect.to) ?? GROUP.exec(redirect.to)?.[0] ??
    redirect.to.match(/\{[^}]*\}/g)?.find((placeholder) => !PLACEHOLDERS.includes(placeholder));
  if (unknown !== undefined) {
    return [{
      ...at,
      severity: "error",
      state: `has ${unknown}`,
      why: "It would be sent to the client as it stands.",
      fix: `Known are ${PLACEHOLDERS.join(", ")}.`,
    }];
  }
  // Right at the beginning it is one: none there leads to another host.
  if (redirect.to.lastIndexOf("/{path}") > 0) {
    return [{
      ...at,
      severity: "warning",
      state: "has /{path}",
      why: "A path begins with a slash, so that two stand there.",
      fix: "Write {path} without a slash in front.",
    }];
  }
  if (/\{path\}|^\{host\}/.test(redirect.to) && !/^(\w[\w+.-]*:\/\/|[/.?#]|\{path\})/.test(redirect.to)) {
    return [{
      ...at,
      severity: "warning",
      state: `is "${redirect.to}", without https:// or a slash in front`,
      why: "To a client its beginning is no host, but a path below the one it asked for.",
      fix: "Begin with https://, http:// or a slash.",
    }];
  }
  const own = listen.tls === undefined ? "http" : "https";
  if (!comesBack(match, redirect, own)) return [];
  return [{
    ...at,
    severity: "error",
    state: `is "${redirect.to}", where the request already is`,
    why: "The client comes back with the same request until it gives up.",
    fix: howToLeave(match, redirect.to, own),
  }];
});

function howToLeave({ host = [] }: MatchConfig, to: string, own: string): string {
  const among = Array.isArray(host) ? host.find((one) => to === `${own}://${one}{path}`) : undefined;
  if (among !== undefined) return `Take ${among} out of the route's hosts.`;
  return own === "https"
    ? "Remove the route: `listen.tls.redirectPort` redirects plain text to https."
    : "Redirect to another scheme, host or path.";
}

/** Whether a client that follows the redirect asks for the same again. @param own the scheme of the requests */
function comesBack(
  match: MatchConfig,
  { to, status }: NonNullable<RouteConfig["redirect"]>,
  own: string,
): boolean {
  // In a header what ends TLS in front says the scheme, and a cookie may be set on the way.
  if (match.headers !== undefined) return false;
  // Up to 303 another method than GET becomes GET.
  if (status < 307 && match.method?.includes("GET") === false) return false;
  const named = [match.host ?? "*"].flat().filter((host) => parseHostPattern(host).port === null);
  const hosts = named.length === 0 ? [] : ["{host}", ...named];
  return ["{path}", "/{path}", ...hosts.map((host) => `${own}://${host}{path}`)].includes(to);
}

const headerVariable = perRoute(
  "route-header-variable",
  (route, path) =>
    (["requestHeaders", "responseHeaders"] as const).flatMap((edits) =>
      (["set", "add"] as const).flatMap((edit) =>
        Object.entries(route[edits]?.[edit] ?? {}).flatMap(([name, value]): LintReport[] => {
          const variable = foreignVariable(value) ?? PLACEHOLDERS.find((own) => value.includes(own));
          if (variable === undefined) return [];
          return [{
            path: [...path, edits, edit, name],
            severity: "warning",
            state: `has ${variable}`,
            why: "Nothing is put in its place: it is sent as it stands.",
            fix: edits === "requestHeaders"
              ? "Write fixed text; whom a request comes from is in X-Forwarded-For, -Host and -Proto, which Weir sends."
              : "Write fixed text, or let the origin set it.",
          }];
        })
      )
    ),
);

const noUpstream = perRoute("route-without-upstream", (route, path) => {
  if (route.redirect === undefined && route.respond === undefined) return [];
  const idle = (["rewrite", "requestHeaders", "timeouts", "retry"] as const).filter((key) =>
    route[key] !== undefined
  );
  return idle.map((key) => ({
    path: [...path, key],
    severity: "warning",
    state: "is on a route that sends nothing upstream",
    why: "It has no effect.",
    fix: "Remove it.",
  }));
});

const bodilessAnswer = perRoute(
  "route-respond-body",
  ({ respond }, path) =>
    respond === undefined || respond.body === "" || ![204, 205, 304].includes(respond.status) ? [] : [{
      path: [...path, "respond", "body"],
      severity: "warning",
      state: `is written for status ${respond.status}`,
      why: "An answer of this status has no body (RFC 9110 15.3.5, 15.3.6, 15.4.5).",
      fix: "Remove it, or use another status.",
    }],
);

export const actionRules: readonly LintRule[] = [
  splitWeights,
  splitStickyAlone,
  splitOfSticky,
  rewriteMisses,
  redirectTarget,
  headerVariable,
  noUpstream,
  bodilessAnswer,
];
