// The environment variables that mean something to Weir, and those that must not.

import { settings } from "../config/sources.ts";

/** Read by Weir; the tasks and the image allow these and no others. */
export const ENVIRONMENT: readonly string[] = [
  ...settings.map(({ variable }) => variable),
  "WEIR_STICKY_KEY",
  "KUBERNETES_SERVICE_HOST",
  "KUBERNETES_SERVICE_PORT",
];

/** Read by Deno itself: proxies for its clients, and what would move or change its servers. */
export const FOREIGN: readonly string[] = [
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "ALL_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "all_proxy",
  "no_proxy",
  "DENO_SERVE_ADDRESS",
  "DENO_SERVE_AUTOMATIC_COMPRESSION",
];

/** Takes the foreign ones out of the process, so that nobody else's settings change what Weir does. */
export function forgetForeignVariables(remove: (name: string) => void): void {
  for (const name of FOREIGN) remove(name);
}
