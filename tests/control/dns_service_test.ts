// A service whose endpoints SRV records name, each with a port of its own.

import { assertEquals } from "@std/assert";
import { NO_ADDRESS, Scene, service } from "./dns_scene.ts";

const strict = { sanitizeOps: true, sanitizeResources: true };

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
  "DnsDiscovery tells that a target has another weight, priority or name, its address being the same",
  strict,
  async () => {
    const named = (target: string, weight: number, priority: number) => ({
      "_http._tcp.app.test": {
        srv: [{ target, weight, priority, port: 80 }, { target: "b.test", weight: 1, priority: 1, port: 80 }],
      },
    });
    await using scene = new Scene(service, {
      ...named("a.test", 1, 1),
      "a.test": { a: ["10.0.0.1"] },
      "b.test": { a: ["10.0.0.2"] },
      "c.test": { a: ["10.0.0.1"] },
    });
    await scene.discovery.settled;
    const found = [];
    for (const answer of [named("a.test", 7, 1), named("a.test", 7, 2), named("c.test", 7, 2)]) {
      await scene.again(answer);
      const { authority, weight, backup } = scene.last[0]!;
      found.push([authority, weight, backup]);
    }
    assertEquals(found, [["a.test", 7, false], ["a.test", 7, true], ["c.test", 7, true]]);
  },
);

Deno.test(
  "DnsDiscovery has the target of a service go by its name in DNS, whatever letters that stands for",
  strict,
  async () => {
    await using scene = new Scene(service, {
      "_http._tcp.app.test": { srv: [{ priority: 1, weight: 1, port: 80, target: "xn--wgv71a119e.test" }] },
      "xn--wgv71a119e.test": { a: ["10.0.0.1"] },
    });
    await scene.discovery.settled;
    assertEquals(scene.last.map(({ id, authority }) => [id, authority]), [
      ["http://10.0.0.1:80", "xn--wgv71a119e.test"],
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
