// Upstreams over configurations that follow each other: what is found for one is told once that one is in force.

import { assertEquals } from "@std/assert";
import { type Config, configSchema } from "../../src/config/schema.ts";
import {
  type DiscoveredEndpoint,
  discoveredEndpoint,
  type Discovery,
} from "../../src/control/discovery/discovery.ts";
import { COALESCE_MS } from "../../src/control/discovery/upstream_discovery.ts";
import { discoveryInputs } from "../../src/pod/discovery_inputs.ts";
import { EventBook } from "../../src/pod/event_book.ts";
import { UpstreamBook } from "../../src/pod/upstream_book.ts";
import { objectsInHeap } from "../support/heap.ts";
import { ScriptedDns } from "../support/scripted_dns.ts";
import { settled } from "../support/settled.ts";
import { EPOCH, VirtualClock } from "../support/virtual_clock.ts";

/** A discovery that finds what a test says, when it says so. */
class Scripted implements Discovery {
  find: (endpoints: readonly DiscoveredEndpoint[]) => void = () => {};
  readonly first = Promise.withResolvers<void>();
  readonly settled = this.first.promise;
  readonly asks = "somebody";
  stopped = false;

  start(onEndpoints: (endpoints: readonly DiscoveredEndpoint[]) => void): void {
    this.find = onEndpoints;
  }
  stop(): Promise<void> {
    this.stopped = true;
    return Promise.resolve();
  }
  describe() {
    return { source: "scripted", endpoints: 0, answeredAt: null, problem: null, failingSince: null };
  }
}

/** For upstreams that have no files for TLS. */
class PlainBook extends UpstreamBook {
  override apply(config: Config): Promise<void> {
    return super.apply(config, new Map(Object.keys(config.upstreams).map((name) => [name, { caCerts: [] }])));
  }
}

function stage() {
  const clock = new VirtualClock();
  const scripted = new Map<string, Scripted>();
  const changes: string[] = [];
  const waits: (readonly string[])[] = [];
  const book = new PlainBook({
    discoveryInputs: (name) => {
      const make = () => {
        const discovery = new Scripted();
        scripted.set(name, discovery);
        return discovery;
      };
      return { clock, makers: { dns: make, k8s: make } };
    },
    onChange: (name) => changes.push(name),
    onWaiting: (awaited) => waits.push(awaited),
    clock,
  });
  return { clock, scripted, changes, waits, book };
}

/** Asks name servers. */
function realBook(clock: VirtualClock): PlainBook {
  return new PlainBook({
    discoveryInputs: (name, config) =>
      discoveryInputs(name, config, { clock, events: new EventBook(() => 0, () => {}), environment: {} }),
    onChange: () => {},
    onWaiting: () => {},
    clock,
  });
}

const configOf = (upstreams: Record<string, object>) => configSchema.parse({ upstreams });
const found = (host: string) =>
  discoveredEndpoint({ scheme: "http", weight: 1, backup: false, drain: false }, host, 80, host);

Deno.test("an upstream that is new or changed is told with its configuration, not before", async () => {
  const { clock, scripted, changes, book } = stage();
  await book.apply(configOf({ a: { endpoints: ["http://10.0.0.1"] } }));
  assertEquals(changes, [], "nothing of it is published yet");

  const applying = book.apply(configOf({
    a: { endpoints: ["https://10.0.0.2"], hostHeader: "=two" },
    slow: { endpoints: ["dns+http://slow.test:80"] },
  }));
  await settled();
  await clock.advance(COALESCE_MS);
  await settled();
  assertEquals(changes, [], "workers have the old settings of a, and would ask the new endpoint with them");
  scripted.get("slow")!.find([found("10.0.0.3")]);
  scripted.get("slow")!.first.resolve();
  await applying;
  assertEquals(changes, []);
  assertEquals(book.known("a")!.endpoints.map(({ id }) => id), ["https://10.0.0.2:443"]);

  scripted.get("slow")!.find([found("10.0.0.4")]);
  await clock.advance(COALESCE_MS);
  assertEquals(changes, ["slow"], "from now on what is found is told at once");
});

Deno.test("an upstream that stays as it is goes on being told while another one is looked for", async () => {
  const { clock, scripted, changes, book } = stage();
  const stays = { endpoints: ["dns+http://stays.test:80"] };
  const first = book.apply(configOf({ stays }));
  await settled();
  scripted.get("stays")!.first.resolve();
  await first;
  const applying = book.apply(configOf({ stays, slow: { endpoints: ["dns+http://slow.test:80"] } }));
  await settled();
  scripted.get("stays")!.find([found("10.0.0.9")]);
  await clock.advance(COALESCE_MS);
  assertEquals(changes, ["stays"]);
  scripted.get("slow")!.first.resolve();
  await applying;
});

Deno.test("an upstream is told as it was until its new addresses are looked at, and only as it is from then on", async () => {
  const { clock, scripted, changes, book } = stage();
  const first = book.apply(configOf({ a: { endpoints: ["dns+http://old.test:80"] } }));
  const older = scripted.get("a")!;
  older.find([found("10.0.0.1")]);
  older.first.resolve();
  await first;
  const told = () => {
    const { config, endpoints } = book.known("a")!;
    return [config.hostHeader, ...endpoints.map(({ host }) => host)];
  };
  const find = async (discovery: Scripted, host: string) => {
    discovery.find([found(host)]);
    await clock.advance(COALESCE_MS);
  };
  const applying = book.apply(configOf({ a: { endpoints: ["dns+http://new.test:80"], hostHeader: "=new" } }));
  const newer = scripted.get("a")!;
  await find(older, "10.0.0.2");
  assertEquals([changes, told()], [["a"], ["client", "10.0.0.2"]]);
  await find(newer, "10.0.0.3");
  newer.first.resolve();
  await applying;
  await find(older, "10.0.0.4");
  assertEquals([changes, told()], [["a"], ["=new", "10.0.0.3"]]);
  await find(newer, "10.0.0.5");
  assertEquals([changes, told()], [["a", "a"], ["=new", "10.0.0.5"]]);
});

Deno.test("whose first answers are awaited is known at once, and told once when it takes more than a second", async () => {
  const { clock, scripted, waits, book } = stage();
  const applying = book.apply(configOf({
    here: { endpoints: ["http://10.0.0.1"] },
    quick: { endpoints: ["dns+http://quick.test:80"] },
    slow: { endpoints: ["k8s://slow:http", "http://10.0.0.2"] },
  }));
  await settled();
  const words = (name: string) => `${name}: scripted: no answer yet from somebody`;
  assertEquals(book.awaits(), [words("quick"), words("slow")]);
  await clock.advance(999);
  scripted.get("quick")!.first.resolve();
  await clock.advance(1);
  assertEquals([waits, book.awaits()], [[[words("slow")]], [words("slow")]]);
  await clock.advance(10_000);
  scripted.get("slow")!.first.resolve();
  await applying;
  await clock.advance(10_000);
  assertEquals([waits.length, book.awaits()], [1, []]);
  await book.apply(configOf({ here: { endpoints: ["http://10.0.0.3"] } }));
  await clock.advance(10_000);
  assertEquals(waits.length, 1, "who answers in time is not told of");
});

Deno.test("a failure to resolve takes no endpoint of an address that stays", async () => {
  await using dns = new ScriptedDns();
  const clock = new VirtualClock();
  const book = realBook(clock);
  const configured = (more: object, ...endpoints: string[]) =>
    configOf({ a: { endpoints, discovery: { nameServer: `127.0.0.1:${dns.port}`, ...more } } });
  const hosts = () => book.known("a")!.endpoints.map(({ host }) => host);
  dns.answers.set("stays.test", { a: ["10.0.0.1", "10.0.0.2"] });
  dns.answers.set("goes.test", { a: ["10.0.0.3"] });
  await book.apply(configured({}, "dns+http://goes.test:80", "dns+http://stays.test:80"));
  assertEquals(hosts(), ["10.0.0.1", "10.0.0.2", "10.0.0.3"]);

  dns.answers.set("stays.test", "servfail");
  await book.apply(configured({}, "dns+http://stays.test:80;weight=2", "http://10.0.0.9"));
  assertEquals(hosts(), ["10.0.0.1", "10.0.0.2", "10.0.0.9"]);
  const answeredAt = EPOCH;
  const failed = {
    source: "dns+http://stays.test:80",
    endpoints: 2,
    answeredAt,
    problem: "no address: the name does not exist, has none, or its resolver fails",
    failingSince: EPOCH,
  };
  assertEquals(book.describe("a"), [failed]);
  await clock.advance(100);
  await book.apply(configured({ intervalMs: 4_000 }, "dns+http://stays.test:80;weight=2"));
  assertEquals(hosts(), ["10.0.0.1", "10.0.0.2"]);
  assertEquals(book.describe("a"), [failed], "it has failed for as long, whoever asks");
  await book.apply(configOf({ b: { endpoints: ["http://10.0.0.9"] } }));
  assertEquals([book.describe("a"), book.describe("b")], [[], []]);
  await book.stop();
});

Deno.test("an upstream that is renamed keeps its endpoints while their name cannot be resolved", async () => {
  await using dns = new ScriptedDns();
  await using other = new ScriptedDns();
  const clock = new VirtualClock();
  const book = realBook(clock);
  const asking = ({ port }: ScriptedDns) => ({
    endpoints: ["dns+http://stays.test:80"],
    discovery: { nameServer: `127.0.0.1:${port}` },
  });
  const hosts = () => book.all().map(({ name, endpoints }) => [name, ...endpoints.map(({ host }) => host)]);
  dns.answers.set("stays.test", { a: ["10.0.0.1"] });
  await book.apply(configOf({ before: asking(dns) }));
  await book.stopReplaced();
  dns.answers.set("stays.test", "servfail");
  await book.apply(configOf({ renamed: asking(dns), elsewhere: asking(other) }));
  await book.stopReplaced();
  assertEquals(
    hosts(),
    [["renamed", "10.0.0.1"], ["elsewhere"]],
    "another name server may say another thing",
  );
  await book.stop();
});

Deno.test("a configuration that is taken back finds its upstreams as they were, and still followed", async () => {
  const { clock, scripted, changes, book } = stage();
  const before = configOf({
    goes: { endpoints: ["dns+http://goes.test:80"] },
    moves: { endpoints: ["dns+http://moves.test:80"] },
  });
  const applying = book.apply(before);
  const discoveries = ["goes", "moves"].map((name) => scripted.get(name)!);
  for (const [i, { find, first }] of discoveries.entries()) {
    find([found(`10.0.0.${i}`)]);
    first.resolve();
  }
  await applying;
  await book.apply(configOf({ moves: { endpoints: ["http://10.0.0.9"] } }));
  discoveries[0]!.find([found("10.0.0.2")]);
  await clock.advance(COALESCE_MS);
  await book.apply(before);
  await book.stopReplaced();
  const hosts = () => book.all().map(({ endpoints }) => endpoints.map(({ host }) => host).join());
  assertEquals(hosts(), ["10.0.0.2", "10.0.0.1"]);
  discoveries[1]!.find([found("10.0.0.3")]);
  await clock.advance(COALESCE_MS);
  assertEquals([hosts(), changes], [["10.0.0.2", "10.0.0.3"], ["moves"]]);
});

Deno.test("what a configuration has no longer is followed until that is final, and what it still has goes on", async () => {
  const { scripted, book } = stage();
  const addresses = (...names: string[]) =>
    configOf(Object.fromEntries(names.map((name) => [name, { endpoints: [`dns+http://${name}.test:80`] }])));
  const apply = async (config: Config) => {
    const applying = book.apply(config);
    for (const { first } of scripted.values()) first.resolve();
    await applying;
  };
  await apply(addresses("stays", "goes"));
  const [stays, goes] = ["stays", "goes"].map((name) => scripted.get(name)!);
  const stopped = () => [stays, goes].map((discovery) => discovery!.stopped);
  await apply(addresses("stays"));
  assertEquals(stopped(), [false, false]);
  await book.stopReplaced();
  assertEquals(stopped(), [false, true]);
  await apply(addresses("stays", "goes"));
  const again = scripted.get("goes")!;
  assertEquals(
    [again === goes, again.stopped],
    [false, false],
    "one that was stopped finds nothing any more",
  );
  await apply(addresses("stays"));
  await book.stop();
  assertEquals([...stopped(), again.stopped], [true, true, true]);
});

Deno.test("nothing is kept of the configurations before the one in force", async () => {
  class Kept extends Scripted {}
  const make = () => {
    const discovery = new Kept();
    discovery.first.resolve();
    return discovery;
  };
  const clock = new VirtualClock();
  const book = new PlainBook({
    discoveryInputs: () => ({ clock, makers: { dns: make, k8s: make } }),
    onChange: () => {},
    onWaiting: () => {},
    clock,
  });
  for (let n = 1; n <= 10; n++) {
    const endpoints = [`dns+http://a.test:80;weight=${n}`];
    await book.apply(configOf({ changes: { endpoints }, [`renamed-${n}`]: { endpoints } }));
    await book.stopReplaced();
  }
  assertEquals(await objectsInHeap("Kept"), 2);
  await book.stop();
});
