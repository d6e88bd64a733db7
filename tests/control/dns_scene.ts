// DNS discovery before a name server that answers as a test says.

import type { DnsAddress } from "../../src/config/endpoint_url.ts";
import { discoverySchema } from "../../src/config/schema.ts";
import type { DiscoveredEndpoint } from "../../src/control/discovery/discovery.ts";
import { DnsDiscovery } from "../../src/control/discovery/dns.ts";
import { dnsResolver } from "../../src/control/discovery/resolver.ts";
import { type DnsAnswer, ScriptedDns } from "../support/scripted_dns.ts";
import { until } from "../support/until.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const parameters = { scheme: "http", weight: 1, backup: false, drain: false } as const;
export const app: DnsAddress = { kind: "dns", ...parameters, host: "app.test", port: 8080 };
export const service: DnsAddress = { kind: "dns", ...parameters, host: "_http._tcp.app.test", port: null };
export const NO_ADDRESS = "no address: the name does not exist, has none, or its resolver fails";

/** A discovery in virtual time that asks a scripted name server over real sockets. */
export class Scene implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly dns = new ScriptedDns();
  readonly published: string[] = [];
  readonly said: string[] = [];
  readonly discovery: DnsDiscovery;
  last: readonly DiscoveredEndpoint[] = [];

  constructor(address: DnsAddress, answers: Record<string, DnsAnswer>, before?: Scene) {
    this.answer(answers);
    this.discovery = new DnsDiscovery(address, discoverySchema.parse({ jitterPercent: 0 }), {
      clock: this.clock,
      resolver: dnsResolver({ ipAddr: "127.0.0.1", port: this.dns.port }),
      events: {
        onFailure: ({ source, reason, kept }) => this.said.push(`${source} failed, ${kept} kept: ${reason}`),
        onRecovery: ({ source, endpoints }) => this.said.push(`${source} recovered: ${endpoints}`),
      },
    }, before?.discovery);
    this.discovery.start((endpoints) => {
      this.last = endpoints;
      this.published.push(endpoints.map(({ id }) => id.replace("http://", "")).join(" "));
    });
  }

  answer(answers: Record<string, DnsAnswer>): void {
    for (const [name, answer] of Object.entries(answers)) this.dns.answers.set(name, answer);
  }

  /** Looks once more, by other answers, to the end. */
  async again(answers: Record<string, DnsAnswer> = {}): Promise<void> {
    this.answer(answers);
    await this.clock.advance(5_000);
    await until("the next look is planned", () => this.clock.waiting === 1 && this.idle);
  }

  private get idle(): boolean {
    return this.clock.due === this.clock.now() + 5_000;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.discovery.stop();
    await this.dns[Symbol.asyncDispose]();
  }
}
