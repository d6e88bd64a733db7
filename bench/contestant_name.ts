// Who can take part: the names in flags, results and targets. `contestants.ts` has what stands behind each.

export type ContestantName =
  | "weir"
  | "weir-wire"
  | "weir-log"
  | "weir-wire-log"
  | "nginx"
  | "nginx-keepalive"
  | "nginx-tuned"
  | "haproxy"
  | "haproxy-tuned"
  | "caddy"
  | "caddy-tuned"
  | "fetch"
  | "floor"
  | "direct";
