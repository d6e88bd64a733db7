// Lint rules about waits, retries and budgets that undo each other.

import { upstreamsOf } from "../config/derived.ts";
import type { Path } from "../config/path.ts";
import { type AttemptSettings, attemptSettings } from "../routing/attempt_settings.ts";
import { type LintReport, type LintRule, perUpstream } from "./finding.ts";

const retriesBeyondDeadline: LintRule = {
  name: "retry-beyond-deadline",
  check: ({ upstreams, routes }) => [
    ...Object.entries(upstreams).flatMap(([name, upstream]) => beyondDeadline(["upstreams", name], upstream)),
    ...routes.flatMap((route, i) => {
      if (route.timeouts === undefined && route.retry === undefined) return [];
      // Of a split, what bites on one side is said once.
      return upstreamsOf(route)
        .flatMap((name) => beyondDeadline(["routes", i], attemptSettings(route, upstreams[name]!)))
        .slice(0, 1);
    }),
  ],
};

function beyondDeadline(path: Path, { timeouts, retry: { attemptsMax } }: AttemptSettings): LintReport[] {
  const { requestMs, attemptMs, connectMs, responseHeadMs } = timeouts;
  const attempt = attemptMs > 0 ? attemptMs : connectMs + responseHeadMs;
  if (requestMs === 0 || attemptsMax < 2 || attemptsMax * attempt <= requestMs) return [];
  return [{
    path: [...path, "timeouts", "requestMs"],
    severity: "warning",
    state: `is ${requestMs}, below ${attemptsMax} attempts of up to ${attempt} ms`,
    why:
      "An endpoint that hangs uses up the time of the attempts after it: the retry that would help comes too late.",
    fix: `Set timeouts.attemptMs to ${
      Math.max(1, Math.floor(requestMs / attemptsMax))
    } or less, or fewer attempts.`,
  }];
}

/** Node.js, uvicorn and Apache httpd close an idle connection after 5 s unless told otherwise. */
const COMMON_KEEP_ALIVE_MS = 5_000;

const poolIdle = perUpstream("pool-idle-above-upstream", ({ upstream: { pool }, path }) => {
  if (pool.idlePerEndpointMax === 0 || pool.idleMs < COMMON_KEEP_ALIVE_MS) return [];
  return [{
    path: [...path, "pool", "idleMs"],
    severity: "warning",
    state: `is ${pool.idleMs}, not below the ${COMMON_KEEP_ALIVE_MS} ms of common application servers`,
    why:
      "An endpoint closes the connection while a request is on its way; a POST that meets this fails with 502.",
    fix: `Set it below the endpoints' keep-alive timeout, for instance to ${COMMON_KEEP_ALIVE_MS * 0.8}.`,
  }];
});

const healthTimeout = perUpstream(
  "health-timeout-above-interval",
  ({ upstream: { health }, path }) =>
    health.kind === "off" || health.timeoutMs < health.intervalMs ? [] : [{
      path: [...path, "health", "timeoutMs"],
      severity: "warning",
      state: `is ${health.timeoutMs}, not below health.intervalMs, which is ${health.intervalMs}`,
      why: "A hanging endpoint is noticed only after `fall` such timeouts, later than the interval promises.",
      fix: `Set it below ${health.intervalMs}.`,
    }],
);

const budgetOfZero = perUpstream(
  "retry-budget-zero",
  ({ upstream: { retry }, path }) =>
    retry.attemptsMax < 2 || retry.budgetPercent > 0 || retry.budgetMinPerSecond > 0 ? [] : [{
      path: [...path, "retry", "budgetPercent"],
      severity: "warning",
      state: `is 0, and budgetMinPerSecond too, with attemptsMax ${retry.attemptsMax}`,
      why: "The budget never grows, so retries that have to be paid for are not made.",
      fix: "Give a budget, or set retry.attemptsMax to 1.",
    }],
);

const capsBelowBase = perUpstream("cap-below-base", ({ upstream: { retry, ejection }, path }) =>
  [
    { key: ["retry", "backoffCapMs"], cap: retry.backoffCapMs, base: retry.backoffBaseMs },
    { key: ["ejection", "capMs"], cap: ejection.capMs, base: ejection.baseMs },
  ].filter(({ cap, base }) => cap < base).map(({ key, cap, base }) => ({
    path: [...path, ...key],
    severity: "warning",
    state: `is ${cap}, below the base of ${base}`,
    why: "The cap cuts the first one already, so that they never grow.",
    fix: `Set it to ${base} or more.`,
  })));

export const waitRules: readonly LintRule[] = [
  retriesBeyondDeadline,
  poolIdle,
  healthTimeout,
  budgetOfZero,
  capsBelowBase,
];
