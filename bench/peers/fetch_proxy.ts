// The load balancer that anyone writes first on Deno: `Deno.serve` and `fetch`, round robin, and nothing else.

const origins = (Deno.env.get("UPSTREAMS") ?? "").split(",");
let turn = 0;
const [cert, key] = ["CERT", "KEY"].map((name) => Deno.env.get(name));
const tls = cert && key ? { cert: Deno.readTextFileSync(cert), key: Deno.readTextFileSync(key) } : {};

Deno.serve({
  ...tls,
  hostname: "127.0.0.1",
  port: Number(Deno.env.get("PORT")),
  reusePort: true,
  onListen: () => {},
  handler: (request) => {
    const { pathname, search } = new URL(request.url);
    const { method, headers, body } = request;
    return fetch(origins[turn++ % origins.length] + pathname + search, { method, headers, body });
  },
});
