/// <reference lib="deno.worker" />
// The worker behind sample_origins.ts: given names, it serves one sample app for each and says on which ports.

import { sampleApp } from "./sample_app.ts";
import type { SamplesListening } from "./sample_origins.ts";

declare const self: DedicatedWorkerGlobalScope;

self.onmessage = ({ data: names }: MessageEvent<readonly string[]>) => {
  const servers = names.map((name) =>
    Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      automaticCompression: false,
      onListen: () => {},
      // `/cut` breaks its answer off on purpose; that is no news.
      onError: () => new Response(null, { status: 500 }),
    }, sampleApp(name))
  );
  self.postMessage({ ports: servers.map(({ addr }) => addr.port) } satisfies SamplesListening);
};

self.postMessage("loaded");
