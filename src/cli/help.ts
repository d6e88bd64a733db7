// What `weir help` prints.

import { configUsage } from "../config/reference.ts";

export const HELP = `Weir, an HTTP load balancer.

Usage: weir COMMAND [FLAGS]

  start     balance over the configured upstreams; with nothing configured, over three sample origins
  run       the same, but refuse to start without upstreams (the container's command)
  check     validate the configuration and print it with where each value came from
  explain   ask a running Weir why a request goes, or went, where it does
  probe     ask a running Weir whether it is ready: exit 0 or 1
  version   print the version

check --manifest PATH holds the configuration against Kubernetes manifests, a file or a folder, as well;
  it may be repeated.
explain --path PATH [--method M] [--host H] [--client ADDRESS] [--header 'NAME: VALUE']...
explain --id REQUEST_ID; either with --json
probe [--path /readyz]
explain and probe find the admin port as start does: --admin-host, --admin-port, --config, environment, file.

${configUsage()}`;
