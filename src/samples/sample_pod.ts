// A sample origin as a program of its own, for `deno serve`: the demo pods of k8s/demo. It is named after its
// host, which in a pod is the pod's name.

import { sampleApp } from "./sample_app.ts";

export default { fetch: sampleApp(Deno.hostname()) } satisfies Deno.ServeDefaultExport;
