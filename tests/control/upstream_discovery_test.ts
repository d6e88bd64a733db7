import { assertEquals } from "@std/assert";
import { addressId, type EndpointAddress, parseEndpointAddress } from "../../src/config/endpoint_url.ts";
import {
  type DiscoveredEndpoint,
  discoveredEndpoint,
  type Discovery,
  mergeEndpoints,
} from "../../src/control/discovery/discovery.ts";
import { COALESCE_MS, UpstreamDiscovery } from "../../src/control/discovery/upstream_discovery.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const traits = { scheme: "http", weight: 1, backup: false, drain: false } as const;

function endpoint(host: string, more: Partial<typeof traits> = {}): DiscoveredEndpoint {
  return discoveredEndpoint({ ...traits, ...more }, host, 80, host);
}

function address(text: string): EndpointAddress {
  const parsed = parseEndpointAddress(text);
  if (!parsed.ok) throw new Error(`not an address: ${text}`);
  return parsed.address;
}

const SILENT = {
  source: "dns+http://app.test:80",
  endpoints: 0,
  answeredAt: null,
  problem: "no answer",
  failingSince: 0,
};

/** A discovery that finds what a test says. */
class Scripted implements Discovery {
  find: (endpoints: readonly DiscoveredEndpoint[]) => void = () => {};
  readonly first = Promise.withResolvers<void>();
  readonly settled = this.first.promise;
  readonly asks = "somebody";
  stopped = false;
  problem: string | null = "no answer";

  start(onEndpoints: (endpoints: readonly DiscoveredEndpoint[]) => void): void {
    this.find = onEndpoints;
  }
  stop(): Promise<void> {
    this.stopped = true;
    return Promise.resolve();
  }
  describe() {
    return { ...SILENT, problem: this.problem };
  }
}

function scene(...addresses: string[]) {
  const clock = new VirtualClock();
  const scripted = new Scripted();
  const makers = { dns: () => scripted, k8s: () => scripted };
  const discovery = new UpstreamDiscovery(addresses.map(address), { clock, makers });
  const published: string[] = [];
  discovery.start((endpoints) => published.push(endpoints.map(({ host }) => host).join(" ")));
  return { clock, scripted, discovery, published };
}

Deno.test("UpstreamDiscovery publishes first when every address was looked at, then what changes", async () => {
  const { clock, scripted, discovery, published } = scene("http://10.0.0.1:80", "dns+http://app.test:80");
  scripted.find([endpoint("10.0.0.2")]);
  await clock.advance(COALESCE_MS);
  assertEquals(
    published,
    [],
    "half a group would get what is meant for all of it",
  );
  scripted.first.resolve();
  await discovery.settled;
  assertEquals(published, ["10.0.0.1 10.0.0.2"]);
  for (const host of ["10.0.0.3", "10.0.0.4", "10.0.0.5"]) scripted.find([endpoint(host)]);
  await clock.advance(COALESCE_MS);
  assertEquals(published.slice(1), ["10.0.0.1 10.0.0.5"]);
  scripted.find([endpoint("10.0.0.6")]);
  scripted.find([endpoint("10.0.0.5")]);
  await clock.advance(COALESCE_MS);
  assertEquals(published.length, 2);
  scripted.find([endpoint("10.0.0.7")]);
  await clock.advance(COALESCE_MS);
  assertEquals(published.slice(2), ["10.0.0.1 10.0.0.7"]);
  await discovery.stop();
  assertEquals(scripted.stopped, true);
});

Deno.test("UpstreamDiscovery publishes what it has when an address cannot be found out", async () => {
  const { scripted, discovery, published } = scene("http://10.0.0.1:80", "dns+http://app.test:80");
  scripted.first.resolve();
  await discovery.settled;
  assertEquals(published, ["10.0.0.1"]);
  assertEquals(discovery.describe(), [SILENT], "an address that names its endpoint is not looked up");
  await discovery.stop();
});

Deno.test("UpstreamDiscovery publishes nothing after it was stopped", async () => {
  const { clock, scripted, discovery, published } = scene("dns+http://app.test:80");
  scripted.first.resolve();
  await discovery.settled;
  scripted.find([endpoint("10.0.0.1")]);
  await discovery.stop();
  await clock.advance(COALESCE_MS);
  assertEquals([published, clock.waiting], [[""], 0]);
});

Deno.test("UpstreamDiscovery publishes nothing when its first look ends because it is stopped", async () => {
  const { scripted, discovery, published } = scene("http://10.0.0.1:80", "dns+http://app.test:80");
  await discovery.stop();
  scripted.first.resolve();
  await discovery.settled;
  assertEquals(published, []);
});

Deno.test("mergeEndpoints() sorts by id and takes an endpoint from the list that comes first", () => {
  const merged = mergeEndpoints([[endpoint("b"), endpoint("a", {})], [
    discoveredEndpoint({ ...traits, weight: 9 }, "a", 80, "a"),
  ]]);
  assertEquals(merged.map(({ id, weight }) => [id, weight]), [["http://a:80", 1], ["http://b:80", 1]]);
});

Deno.test("discoveredEndpoint() leaves the scheme's own port out of the authority", () => {
  const table: [scheme: "http" | "https", port: number, authority: string][] = [
    ["http", 80, "app.test"],
    ["https", 443, "app.test"],
    ["http", 443, "app.test:443"],
    ["https", 8443, "app.test:8443"],
  ];
  for (const [scheme, port, authority] of table) {
    assertEquals(discoveredEndpoint({ ...traits, scheme }, "fd00::1", port, "app.test").authority, authority);
  }
  assertEquals(endpoint("fd00::1").authority, "[fd00::1]");
});

Deno.test("UpstreamDiscovery gives an address that stays what was known of it, and asks none of the others", () => {
  const known = new Map<string, Scripted>();
  let asked = 0;
  const given: (Discovery | undefined)[] = [];
  const dns = (named: EndpointAddress, before?: Discovery) => {
    given.push(before);
    const scripted = Object.assign(new Scripted(), { describe: () => (asked++, new Scripted().describe()) });
    known.set(addressId(named), scripted);
    return scripted;
  };
  const inputs = { clock: new VirtualClock(), makers: { dns, k8s: dns } };
  const names = ["a", "b", "c"].map((name) => `dns+http://${name}.test:80`);
  const first = new UpstreamDiscovery(names.slice(0, 2).map(address), inputs);
  const stays = known.get(names[1]!);
  new UpstreamDiscovery(names.slice(1).map(address), inputs, (source) => first.bySource.get(source));
  assertEquals(given, [undefined, undefined, stays, undefined]);
  assertEquals(asked, 0);
});

Deno.test("UpstreamDiscovery.awaits() says who is silent, and what those say who are asked again", async () => {
  const { scripted, discovery } = scene("dns+http://app.test:80", "http://10.0.0.1");
  scripted.problem = null;
  assertEquals(discovery.awaits(), ["dns+http://app.test:80: no answer yet from somebody"]);
  scripted.problem = "503, no quorum";
  assertEquals(discovery.awaits(), ["dns+http://app.test:80: 503, no quorum; Weir asks somebody again"]);
  scripted.first.resolve();
  await discovery.settled;
  assertEquals(discovery.awaits(), []);
});
