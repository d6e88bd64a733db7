// Endpoints that the configuration names: known at once, changed only by a new configuration.

import type { StaticAddress } from "../../config/endpoint_url.ts";
import { type DiscoveredEndpoint, discoveredEndpoint, type Discovery } from "./discovery.ts";

export class StaticDiscovery implements Discovery {
  readonly settled: Promise<void> = Promise.resolve();
  readonly asks = null;
  private readonly endpoint: DiscoveredEndpoint;

  constructor(address: StaticAddress) {
    this.endpoint = discoveredEndpoint(address, address.host, address.port, address.host);
  }

  start(onEndpoints: (endpoints: readonly DiscoveredEndpoint[]) => void): void {
    onEndpoints([this.endpoint]);
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  describe(): null {
    return null;
  }
}
