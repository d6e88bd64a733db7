// What holds for the attempts of a route at an upstream, of which each may say something.

import type { RetryConfig, RouteConfig, TimeoutsConfig } from "../config/schema.ts";

/** How long attempts take at the most, and how often they are made. */
export interface AttemptSettings {
  readonly timeouts: TimeoutsConfig;
  readonly retry: RetryConfig;
}

/** What holds at an upstream for the requests of a route: the route's own words first. */
export function attemptSettings(
  route: Pick<RouteConfig, "timeouts" | "retry">,
  { timeouts, retry }: AttemptSettings,
): AttemptSettings {
  return {
    timeouts: { ...timeouts, ...route.timeouts } as TimeoutsConfig,
    retry: { ...retry, ...route.retry } as RetryConfig,
  };
}
