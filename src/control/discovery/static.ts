// Endpoints that the configuration names: known at once, changed only by a new configuration.

import { addressId, type StaticAddress } from "../../config/endpoint_url.ts";
import {
  type DiscoveredEndpoint,
  discoveredEndpoint,
  type Discovery,
  type DiscoveryStatus,
} from "./discovery.ts";

export class StaticDiscovery implements Discovery {
  readonly settled: Promise<void> = Promise.resolve();
  private readonly endpoint: DiscoveredEndpoint;

  /** @param date milliseconds since 1970, now */
  constructor(private readonly address: StaticAddress, private readonly date: number) {
    this.endpoint = discoveredEndpoint(address, address.host, address.port, address.host);
  }

  start(onEndpoints: (endpoints: readonly DiscoveredEndpoint[]) => void): void {
    onEndpoints([this.endpoint]);
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  describe(): DiscoveryStatus {
    return { source: addressId(this.address), endpoints: 1, answeredAt: this.date, problem: null };
  }
}
