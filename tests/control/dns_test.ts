// A name that is looked up again and again: what it gives, and what is left while it gives nothing.

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { NameServer } from "../../src/config/name_server.ts";
import { discoverySchema } from "../../src/config/schema.ts";
import { DnsDiscovery } from "../../src/control/discovery/dns.ts";
import { type AddressAnswer, dnsResolver, systemAddresses } from "../../src/control/discovery/resolver.ts";
import { settled } from "../support/settled.ts";
import { until } from "../support/until.ts";
import { EPOCH, VirtualClock } from "../support/virtual_clock.ts";
import { app, NO_ADDRESS, Scene } from "./dns_scene.ts";

const strict = { sanitizeOps: true, sanitizeResources: true };

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

/** A first look at a name whose every question is answered so, in virtual time. */
function firstLook(answer: () => AddressAnswer | null, address = app, before?: DnsDiscovery) {
  const clock = new VirtualClock();
  let looks = 0;
  let overAt: number | null = null;
  const discovery = new DnsDiscovery(address, discoverySchema.parse({ jitterPercent: 0 }), {
    clock,
    resolver: {
      addresses: () => {
        looks++;
        return Promise.resolve(answer()!);
      },
      services: () => {
        looks++;
        return answer() === null ? Promise.reject(new Error("silence")) : Promise.resolve([]);
      },
    },
    events: { onFailure: () => {}, onRecovery: () => {} },
  }, before);
  discovery.settled.then(() => overAt = clock.now());
  let found = 0;
  discovery.start((endpoints) => found = endpoints.length);
  return { clock, discovery, state: () => [looks, found, overAt] };
}
const SILENT: AddressAnswer = { v4: null, v6: null, reason: "silence" };
const NONE: AddressAnswer = { v4: [], v6: [] };

Deno.test("DnsDiscovery.settled waits while nobody answers, so that a start has its endpoints", async () => {
  for (const silent of [SILENT, { ...SILENT, v4: [] }, { ...SILENT, v6: [] }]) {
    let answer: AddressAnswer = silent;
    const look = firstLook(() => answer);
    await look.clock.advance(3_499);
    assertEquals(look.state(), [3, 0, null]);
    answer = { v4: ["10.0.0.1"], v6: null };
    await look.clock.advance(1);
    assertEquals(look.state(), [4, 1, 3_500]);
    await look.discovery.stop();
  }
});

Deno.test("DnsDiscovery.settled waits no longer than ten seconds, be it for addresses or for a service", async () => {
  const looks = [
    firstLook(() => SILENT),
    firstLook(() => null, { ...app, host: "_http._tcp.app.test", port: null }),
  ];
  for (const { clock, discovery, state } of looks) {
    await clock.advance(7_499);
    assertEquals(state(), [4, 0, null]);
    await clock.advance(1);
    assertEquals(state(), [5, 0, 7_500], "the next look would be at 12,500");
    await discovery.stop();
  }
});

Deno.test("DnsDiscovery.settled does not wait for a name that does not exist, as a mistyped one", async () => {
  let answer = SILENT;
  const look = firstLook(() => answer);
  await look.clock.advance(0);
  assertEquals(look.state(), [1, 0, null]);
  answer = NONE;
  await look.clock.advance(500);
  assertEquals(look.state(), [2, 0, 500]);
  await look.discovery.stop();
});

Deno.test("DnsDiscovery.settled waits for one look where another has waited before", async () => {
  const first = firstLook(() => SILENT);
  const next = firstLook(() => SILENT, app, first.discovery);
  await next.clock.advance(0);
  assertEquals(next.state(), [1, 0, 0]);
  for (const { discovery } of [first, next]) await discovery.stop();
});

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
  // Whoever waits for the first look, as a reload does, would keep a process from its end.
  await scene.discovery.settled;
});

Deno.test("DnsDiscovery says whom it asks", strict, () => {
  const named = ({ nameServer }: { nameServer?: string }) =>
    new DnsDiscovery(app, discoverySchema.parse({ nameServer }), {
      clock: new VirtualClock(),
      resolver: dnsResolver(null),
      events: { onFailure: () => {}, onRecovery: () => {} },
    }).asks;
  assertEquals(named({}), "the name servers of the system");
  assertEquals(named({ nameServer: "10.0.0.53:53" }), "the name server 10.0.0.53:53");
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

Deno.test("systemAddresses() tells a resolver that fails from a name that does not exist", async () => {
  const ask = (code: string) =>
    systemAddresses("app.test", new AbortController().signal, () => Promise.reject({ code }));
  assertEquals(await ask("EAI_AGAIN"), { v4: null, v6: null, reason: "no answer: the resolver fails" });
  assertEquals(await ask("ENOTFOUND"), null);
});

Deno.test("dnsResolver(null) tells of a service, too, that the system's resolver fails, and asks it for no other", async () => {
  const { resolveDns } = Deno;
  Object.assign(Deno, { resolveDns: () => Promise.reject(new Deno.errors.NotFound("no records found")) });
  try {
    const asked: string[] = [];
    const services = (code: string, nameServer: NameServer | null = null) =>
      dnsResolver(nameServer, (name) => {
        asked.push(name);
        return Promise.reject({ code });
      }).services("_http._tcp.app.test", new AbortController().signal);
    await assertRejects(() => services("EAI_AGAIN"), Error, "no answer: the resolver fails");
    assertEquals(await services("ENOTFOUND"), []);
    assertEquals(await services("EAI_AGAIN", { ipAddr: "127.0.0.1", port: 53 }), []);
    assertEquals(asked, ["_http._tcp.app.test", "_http._tcp.app.test"]);
  } finally {
    Deno.resolveDns = resolveDns;
  }
});

Deno.test("dnsResolver(null) knows names that only the system knows", async () => {
  const { v4, v6 } = await dnsResolver(null).addresses("localhost", AbortSignal.timeout(10_000));
  assertEquals([...v4 ?? [], ...v6 ?? []].some((ip) => ip === "127.0.0.1" || ip === "::1"), true);
});
