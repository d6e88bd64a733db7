import { assertEquals, assertStringIncludes } from "@std/assert";
import type { DnsAddress } from "../../src/config/endpoint_url.ts";
import { discoverySchema } from "../../src/config/schema.ts";
import type { DiscoveredEndpoint } from "../../src/control/discovery/discovery.ts";
import { DnsDiscovery } from "../../src/control/discovery/dns.ts";
import { EMPTY_ANSWERS_BELIEVED, NameMemory } from "../../src/control/discovery/name_memory.ts";
import { type AddressAnswer, dnsResolver } from "../../src/control/discovery/resolver.ts";
import { settled } from "../support/settled.ts";
import { until } from "../support/until.ts";
import { type DnsAnswer, ScriptedDns } from "../support/scripted_dns.ts";
import { EPOCH, VirtualClock } from "../support/virtual_clock.ts";

const strict = { sanitizeOps: true, sanitizeResources: true };
const parameters = { scheme: "http", weight: 1, backup: false, drain: false } as const;
const app: DnsAddress = { kind: "dns", ...parameters, host: "app.test", port: 8080 };
const service: DnsAddress = { kind: "dns", ...parameters, host: "_http._tcp.app.test", port: null };
const NO_ADDRESS = "no address: the name does not exist, has none, or its resolver fails";

/** A discovery in virtual time that asks a scripted name server over real sockets. */
class Scene implements AsyncDisposable {
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

Deno.test(
  "DnsDiscovery publishes the addresses of both families, sorted, under the name",
  strict,
  async () => {
    await using scene = new Scene(app, { "app.test": { a: ["10.0.0.2", "10.0.0.1"], aaaa: ["fd00::1"] } });
    await scene.discovery.settled;
    assertEquals(scene.published, ["10.0.0.1:8080 10.0.0.2:8080 [fd00::1]:8080"]);
    assertEquals(scene.last[2], {
      id: "http://[fd00::1]:8080",
      scheme: "http",
      host: "fd00::1",
      port: 8080,
      authority: "app.test:8080",
      weight: 1,
      backup: false,
      drain: false,
    });
  },
);

Deno.test("DnsDiscovery publishes what changed, and nothing for another order", strict, async () => {
  await using scene = new Scene(app, { "app.test": { a: ["10.0.0.1", "10.0.0.2"] } });
  await scene.discovery.settled;
  await scene.again({ "app.test": { a: ["10.0.0.2", "10.0.0.1"] } });
  await scene.again({ "app.test": { a: ["10.0.0.3", "10.0.0.1"] } });
  assertEquals(scene.published, ["10.0.0.1:8080 10.0.0.2:8080", "10.0.0.1:8080 10.0.0.3:8080"]);
  assertEquals(scene.said, []);
});

Deno.test(
  "DnsDiscovery keeps the last good answer whatever DNS fails to say, and says so once",
  strict,
  async () => {
    await using scene = new Scene(app, { "app.test": { a: ["10.0.0.1"] } });
    await scene.discovery.settled;
    for (const answer of ["nxdomain", "servfail", {}] as const) await scene.again({ "app.test": answer });
    assertEquals(scene.discovery.describe().problem, NO_ADDRESS);
    await scene.again({ "app.test": { a: ["10.0.0.1"] } });
    assertEquals(scene.published, ["10.0.0.1:8080"]);
    assertEquals(scene.said, [
      `dns+http://app.test:8080 failed, 1 kept: ${NO_ADDRESS}`,
      "dns+http://app.test:8080 recovered: 1",
    ]);
  },
);

Deno.test(
  "DnsDiscovery gives a silent name server its time and keeps the last good answer",
  strict,
  async () => {
    await using scene = new Scene(app, { "app.test": { a: ["10.0.0.1"] } });
    await scene.discovery.settled;
    const asked = scene.dns.asked.length;
    scene.answer({ "app.test": "silence" });
    await scene.clock.advance(5_000);
    await scene.dns.questions(asked + 2);
    await scene.clock.advance(2_000);
    await until("it gave up", () => scene.said.length > 0);
    assertEquals(scene.said, ["dns+http://app.test:8080 failed, 1 kept: no answer within 2000 ms"]);
    assertEquals([scene.published.length, scene.discovery.describe().endpoints], [1, 1]);
  },
);

Deno.test("DnsDiscovery.settled resolves when the first look fails, too", strict, async () => {
  await using scene = new Scene(app, { "app.test": "nxdomain" });
  await scene.discovery.settled;
  assertEquals([scene.published, scene.discovery.describe().answeredAt], [[], null]);
  assertStringIncludes(scene.said[0]!, "0 kept");
});

Deno.test("DnsDiscovery asks a name that has given nothing yet again soon, and later each time", async () => {
  const clock = new VirtualClock();
  const askedAt: number[] = [];
  const discovery = new DnsDiscovery(app, discoverySchema.parse({ jitterPercent: 0 }), {
    clock,
    resolver: {
      addresses: () => {
        askedAt.push(clock.now());
        // The sixth question has an answer, and those after it are in vain again.
        return Promise.resolve({ v4: askedAt.length === 6 ? ["10.0.0.1"] : [], v6: [] });
      },
      services: () => Promise.resolve([]),
    },
    events: { onFailure: () => {}, onRecovery: () => {} },
  });
  discovery.start(() => {});
  await clock.advance(27_500);
  assertEquals(askedAt, [0, 500, 1_500, 3_500, 7_500, 12_500, 17_500, 22_500, 27_500]);
  await discovery.stop();
});

Deno.test("DnsDiscovery takes 500 addresses, over TCP where UDP cannot hold them", strict, async () => {
  const a = Array.from({ length: 500 }, (_, i) => `10.1.${i >> 8}.${i & 255}`);
  await using scene = new Scene(app, { "app.test": { a } });
  await scene.discovery.settled;
  assertEquals(new Set(scene.last.map(({ host }) => host)), new Set(a));
  assertEquals(scene.dns.asked.includes("tcp A app.test"), true);
});

Deno.test(
  "DnsDiscovery takes from SRV records the port, the weight, and backups from the priority",
  strict,
  async () => {
    await using scene = new Scene({ ...service, weight: 2 }, {
      "_http._tcp.app.test": {
        srv: [
          { priority: 20, weight: 5, port: 9000, target: "c.test" },
          { priority: 10, weight: 3, port: 8001, target: "a.test" },
          { priority: 10, weight: 0, port: 8002, target: "b.test" },
        ],
      },
      "a.test": { a: ["10.0.0.1"] },
      "b.test": { a: ["10.0.0.2"], aaaa: ["fd00::2"] },
      "c.test": { a: ["10.0.0.3"] },
    });
    await scene.discovery.settled;
    const table = scene.last.map((
      { host, port, authority, weight, backup },
    ) => [host, port, authority, weight, backup]);
    assertEquals(table, [
      ["10.0.0.1", 8001, "a.test:8001", 6, false],
      ["10.0.0.2", 8002, "b.test:8002", 2, false],
      ["10.0.0.3", 9000, "c.test:9000", 10, true],
      ["fd00::2", 8002, "b.test:8002", 2, false],
    ]);
  },
);

Deno.test(
  "DnsDiscovery keeps the targets of a service, and the addresses of each, through failures",
  strict,
  async () => {
    const srv = ["a.test", "b.test"].map((target) => ({ priority: 1, weight: 1, port: 80, target }));
    await using scene = new Scene(service, {
      "_http._tcp.app.test": { srv },
      "a.test": { a: ["10.0.0.1"] },
      "b.test": { a: ["10.0.0.2"] },
    });
    await scene.discovery.settled;
    await scene.again({ "b.test": "servfail" });
    assertEquals(scene.discovery.describe().problem, `b.test: ${NO_ADDRESS}`);
    await scene.again({
      "_http._tcp.app.test": "servfail",
      "a.test": { a: ["10.0.0.9"] },
      "b.test": { a: ["10.0.0.2"] },
    });
    assertEquals(scene.published, ["10.0.0.1:80 10.0.0.2:80", "10.0.0.2:80 10.0.0.9:80"]);
  },
);

Deno.test(
  "DnsDiscovery keeps the targets of a service until another target has an address",
  strict,
  async () => {
    const srv = (target: string) => ({ srv: [{ priority: 1, weight: 1, port: 80, target }] });
    await using scene = new Scene(service, {
      "_http._tcp.app.test": srv("a.test"),
      "a.test": { a: ["10.0.0.1"] },
    });
    await scene.discovery.settled;
    await scene.again({ "_http._tcp.app.test": srv("b.test"), "b.test": "servfail" });
    await using next = new Scene(service, { "_http._tcp.app.test": "servfail" }, scene);
    await next.discovery.settled;
    assertEquals(next.published, ["10.0.0.1:80"]);
    await scene.again({ "b.test": { a: ["10.0.0.2"] } });
    assertEquals(scene.published, ["10.0.0.1:80", "10.0.0.2:80"]);
  },
);

Deno.test(
  "DnsDiscovery hands over what it knows to the discovery that takes its place",
  strict,
  async () => {
    await using scene = new Scene(app, { "app.test": { a: ["10.0.0.1"], aaaa: ["fd00::1"] } });
    await scene.discovery.settled;
    const { answeredAt } = scene.discovery.describe();
    await using next = new Scene({ ...app, weight: 3 }, { "app.test": "servfail" }, scene);
    await next.discovery.settled;
    assertEquals(next.last.map(({ host, weight }) => [host, weight]), [["10.0.0.1", 3], ["fd00::1", 3]]);
    assertEquals(next.discovery.describe().answeredAt, answeredAt);
    await using third = new Scene(app, { "app.test": { a: ["10.0.0.2"] } }, next);
    await third.discovery.settled;
    assertEquals(third.published, ["10.0.0.2:8080 [fd00::1]:8080"]);
    assertEquals([next.said, third.said], [
      [`dns+http://app.test:8080 failed, 2 kept: ${NO_ADDRESS}`],
      ["dns+http://app.test:8080 recovered: 2"],
    ]);
  },
);

Deno.test("DnsDiscovery.stop() gives up what is being asked and publishes nothing more", strict, async () => {
  const scene = new Scene(app, { "app.test": "silence" });
  await scene.dns.questions(2);
  await scene[Symbol.asyncDispose]();
  assertEquals([scene.published, scene.said, scene.clock.waiting], [[], [], 0]);
});

Deno.test(
  "DnsDiscovery takes an address for a primary if one of the targets that share it is",
  strict,
  async () => {
    const srv = [[20, "a"], [10, "b"], [20, "c"]] as const;
    await using scene = new Scene(service, {
      "_http._tcp.app.test": {
        srv: srv.map(([priority, name]) => ({
          priority,
          weight: priority,
          port: 80,
          target: `${name}.test`,
        })),
      },
      "a.test": { a: ["10.0.0.1"] },
      "b.test": { a: ["10.0.0.1"] },
      "c.test": { a: ["10.0.0.2"] },
    });
    await scene.discovery.settled;
    assertEquals(scene.last.map(({ host, weight, backup }) => [host, weight, backup]), [
      ["10.0.0.1", 10, false],
      ["10.0.0.2", 20, true],
    ]);
  },
);

Deno.test("DnsDiscovery of backups finds nothing but backups", strict, async () => {
  await using scene = new Scene({ ...service, backup: true }, {
    "_http._tcp.app.test": { srv: [{ priority: 1, weight: 1, port: 80, target: "a.test" }] },
    "a.test": { a: ["10.0.0.1"] },
  });
  await scene.discovery.settled;
  assertEquals(scene.last.map(({ backup }) => backup), [true]);
});

Deno.test("DnsDiscovery forgets the addresses of a target that the service has no more", strict, async () => {
  const named = (...names: string[]) => ({
    "_http._tcp.app.test": { srv: names.map((target) => ({ priority: 1, weight: 1, port: 80, target })) },
  });
  await using scene = new Scene(service, {
    ...named("a.test", "b.test"),
    "a.test": { a: ["10.0.0.1"] },
    "b.test": { a: ["10.0.0.2"] },
  });
  await scene.discovery.settled;
  await scene.again(named("a.test"));
  await scene.again({ ...named("a.test", "b.test"), "b.test": "servfail" });
  assertEquals(scene.published, ["10.0.0.1:80 10.0.0.2:80", "10.0.0.1:80"]);
});

Deno.test("DnsDiscovery says when DNS answered last, and since when it does not", strict, async () => {
  await using scene = new Scene(app, { "app.test": { a: ["10.0.0.1"] } });
  await scene.discovery.settled;
  const told = () => {
    const { endpoints, answeredAt, problem, failingSince } = scene.discovery.describe();
    return [endpoints, answeredAt, problem, failingSince];
  };
  assertEquals(told(), [1, EPOCH, null, null]);
  await scene.again();
  await scene.again({ "app.test": "servfail" });
  await scene.again();
  assertEquals(told(), [1, EPOCH + 5_000, NO_ADDRESS, EPOCH + 10_000]);
  await scene.again({ "app.test": { a: ["10.0.0.1", "10.0.0.2"] } });
  assertEquals(told(), [2, EPOCH + 20_000, null, null]);
});

Deno.test(
  "DnsDiscovery tells what the one before it knew until its own first look ends",
  strict,
  async () => {
    await using scene = new Scene(app, { "app.test": { a: ["10.0.0.1"] } });
    await scene.discovery.settled;
    await scene.again({ "app.test": "servfail" });
    await using next = new Scene({ ...app, weight: 3 }, { "app.test": "silence" }, scene);
    await next.dns.questions(2);
    assertEquals(next.discovery.describe(), scene.discovery.describe());
    assertEquals(next.published, []);
  },
);

Deno.test("DnsDiscovery hears nothing of what another tells that goes on from it", strict, async () => {
  await using scene = new Scene(app, { "app.test": { a: ["10.0.0.1"] } });
  await scene.discovery.settled;
  await using next = new Scene(app, { "app.test": { a: ["10.0.0.2"] } }, scene);
  await next.discovery.settled;
  await scene.again({ "app.test": "servfail" });
  assertEquals([scene.published, next.published], [["10.0.0.1:8080"], ["10.0.0.2:8080"]]);
});

Deno.test("DnsDiscovery.stop() waits for what is being asked, which it gives up", async () => {
  const given = Promise.withResolvers<AddressAnswer>();
  const said: string[] = [];
  const discovery = new DnsDiscovery(app, discoverySchema.parse({}), {
    clock: new VirtualClock(),
    resolver: {
      addresses: (_, signal) => {
        signal.addEventListener("abort", () => said.push(signal.reason.message));
        return given.promise;
      },
      services: () => Promise.resolve([]),
    },
    events: { onFailure: () => said.push("failed"), onRecovery: () => said.push("recovered") },
  });
  discovery.start(() => said.push("published"));
  const stopping = discovery.stop().then(() => said.push("over"));
  await settled();
  assertEquals(said, ["stopped"]);
  given.resolve({ v4: ["10.0.0.1"], v6: [] });
  await stopping;
  assertEquals(said, ["stopped", "over"]);
});

Deno.test("dnsResolver() knows names that only the system knows", async () => {
  const { v4, v6 } = await dnsResolver().addresses("localhost", AbortSignal.timeout(10_000));
  assertEquals([...v4 ?? [], ...v6 ?? []].some((ip) => ip === "127.0.0.1" || ip === "::1"), true);
});

Deno.test("NameMemory.learn() drops a family only when it has been empty several times in a row", () => {
  const both: AddressAnswer = { v4: ["10.0.0.1"], v6: ["fd00::1"] };
  const onlyV4: AddressAnswer = { v4: ["10.0.0.1"], v6: [] };
  const memory = new NameMemory();
  const after = [both, onlyV4, onlyV4, both, onlyV4, onlyV4, onlyV4].map((answer) => {
    memory.learn(answer);
    return memory.addresses.length;
  });
  assertEquals(EMPTY_ANSWERS_BELIEVED, 3);
  assertEquals(after, [2, 2, 2, 2, 2, 2, 1]);
});

Deno.test("NameMemory.learn() keeps a family that gives no answer, and says why", () => {
  const memory = new NameMemory();
  memory.learn({ v4: ["10.0.0.1"], v6: ["fd00::1"] });
  const problem = memory.learn({ v4: ["10.0.0.2"], v6: null, reason: "no answer within 2000 ms" });
  assertEquals([problem, memory.addresses], ["IPv6: no answer within 2000 ms", ["10.0.0.2", "fd00::1"]]);
});
