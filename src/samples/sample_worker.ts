/// <reference lib="deno.worker" />
// The worker behind sample_origins.ts: it serves a sample app for each name, and says on which ports.

import { sampleApp } from "./sample_app.ts";

declare const self: DedicatedWorkerGlobalScope;

/** Trees that stand along a river, one for each origin. */
const NAMES = ["alder", "birch", "cedar"];

const servers = NAMES.map((name) =>
  Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    automaticCompression: false,
    onListen: () => {},
    // `/cut` breaks its answer off on purpose; that is no news.
    onError: () => new Response(null, { status: 500 }),
  }, sampleApp(name))
);
self.postMessage(servers.map(({ addr }) => addr.port));
