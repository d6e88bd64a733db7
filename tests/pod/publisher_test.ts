// What the publisher makes of the rows that there are: everything may be replaced at once, what there is no room for is
// left out, and nothing is kept of what cannot be published.

import { assertEquals, assertThrows } from "@std/assert";
import { Board, withRoomForChange } from "../../src/board/layout.ts";
import { configSchema } from "../../src/config/schema.ts";
import { discoveredEndpoint } from "../../src/control/discovery/discovery.ts";
import type { JudgedUpstream } from "../../src/control/judgement.ts";
import { BoardFullError } from "../../src/control/row_allocator.ts";
import type { KnownUpstream } from "../../src/control/snapshots.ts";
import type { ToWorker } from "../../src/messages.ts";
import { fairShares, Publisher } from "../../src/pod/publisher.ts";

/** A pod with room for two upstreams and three endpoints. */
const CAPACITY = { upstreamsMax: 2, endpointsMax: 3, routesMax: 1, rateSlotsMax: 1 };

const configOf = (...names: string[]) =>
  configSchema.parse({
    upstreams: Object.fromEntries(names.map((name) => [name, { endpoints: ["dns+http://app.test:80"] }])),
  });

/** An upstream as it is with endpoints on these hosts; those with a `~` are backups. */
function known(name: string, ...hosts: string[]): KnownUpstream {
  const endpoints = hosts.map((host) => {
    const traits = { scheme: "http", weight: 1, backup: host.startsWith("~"), drain: false } as const;
    return discoveredEndpoint(traits, host, 80, "app.test");
  });
  return { name, config: configOf(name).upstreams[name]!, endpoints, tls: { caCerts: [] } };
}

/** A publisher whose workers apply at once, but for while `workers.hold` is set. */
function stage() {
  const workers: { hold: number | null } = { hold: null };
  /** What judges and workers heard, in that order. */
  const told: unknown[] = [];
  const supervisor = {
    appliedVersion: () => workers.hold ?? publisher.version,
    broadcast: (message: ToWorker) => {
      if (message.kind === "snapshot") told.push(`version ${message.snapshot.version} of everything`);
      if (message.kind !== "endpoints") return;
      const { version, change: { upstream, left, joined } } = message;
      told.push(`version ${version} of ${upstream}`, left, joined.map(({ id }) => id));
    },
  };
  const board = Board.create({ ...withRoomForChange(CAPACITY), columnsMax: 2 });
  const monitor = {
    apply: (all: readonly JudgedUpstream[]) => all.forEach((one) => monitor.applyOne(one)),
    applyOne: ({ name, endpoints }: JudgedUpstream) =>
      void told.push(`judge ${name}: ${endpoints.map(({ host }) => host).join(" ")}`),
  };
  const publisher: Publisher = new Publisher(board, supervisor, monitor, CAPACITY.endpointsMax);
  const publish = (...all: KnownUpstream[]) => {
    publisher.publish(configOf(...all.map(({ name }) => name)), all, "");
  };
  /** As a pod does. */
  const discover = (upstream: KnownUpstream) => {
    if (!publisher.publishUpstream(upstream)) publish(upstream);
  };
  const hosts = () =>
    publisher.snapshot!.upstreams.map(({ endpoints }) => endpoints.map(({ host }) => host).join(" "));
  return { publisher, workers, told, publish, discover, hosts };
}

Deno.test("Publisher replaces all endpoints at once, and again once workers have let go of them", () => {
  const { publisher, publish, discover, hosts } = stage();
  publish(known("app", "a", "b", "c"));
  for (const three of [["d", "e", "f"], ["g", "h", "i"], ["a", "b", "c"]]) {
    discover(known("app", ...three));
    assertEquals([hosts(), publisher.leftOut.size], [[three.join(" ")], 0]);
  }
});

Deno.test("Publisher replaces all upstreams at once", () => {
  const { publish, hosts } = stage();
  publish(known("one", "a"), known("two", "b"));
  publish(known("three", "c"), known("four", "d", "e"));
  assertEquals(hosts(), ["c", "d e"]);
});

Deno.test("Publisher leaves out what has no row yet, and has room for it once a worker has let go of another", () => {
  const { publisher, workers, publish, discover, hosts } = stage();
  publish(known("app", "a", "b", "c"));
  workers.hold = publisher.version;
  discover(known("app", "c", "d", "e"));
  discover(known("app", "e", "f", "g"));
  assertEquals([hosts(), [...publisher.leftOut], publisher.hasRoomAgain], [["e f"], [["app", 1]], false]);
  workers.hold = null;
  assertEquals(publisher.hasRoomAgain, true);
  publish(known("app", "e", "f", "g"));
  assertEquals([hosts(), publisher.leftOut.size, publisher.hasRoomAgain], [["e f g"], 0, false]);
});

Deno.test("Publisher leaves out what is too much: those that serve stay, and backups come last", () => {
  const { publisher, publish, discover, hosts } = stage();
  publish(known("app", "b", "c", "d", "e"));
  assertEquals([hosts(), [...publisher.leftOut], publisher.hasRoomAgain], [["b c d"], [["app", 1]], false]);
  discover(known("app", "a", "c", "d", "e"));
  assertEquals([hosts(), [...publisher.leftOut]], [["a c d"], [["app", 1]]]);
  discover(known("app", "0", "a", "c", "d"));
  assertEquals([hosts(), [...publisher.leftOut]], [["a c d"], [["app", 1]]]);
  discover(known("app", "c", "~f", "g", "h"));
  assertEquals([hosts(), [...publisher.leftOut]], [["c g h"], [["app", 1]]]);
  discover(known("app", "c", "h"));
  assertEquals([hosts(), publisher.leftOut.size], [["c h"], 0]);
});

Deno.test("Publisher gives each upstream its share of the room", () => {
  const { publisher, publish, hosts } = stage();
  publish(known("large", "a", "b", "c"), known("small", "d"));
  assertEquals([hosts(), [...publisher.leftOut]], [["a b", "d"], [["large", 1]]]);
  assertEquals(publisher.publishUpstream(known("small", "d", "e")), false);
  assertEquals(hosts(), ["a b", "d"], "it is for the next publication of everything");
});

Deno.test("Publisher tells judges first and workers then, and of one upstream what has changed", () => {
  const { publisher, told, publish } = stage();
  const heard = () => told.splice(0);
  assertEquals(
    [publisher.publishUpstream(known("one", "a")), heard()],
    [true, []],
    "nothing is in force yet",
  );
  publish(known("one", "a"), known("two", "b"));
  assertEquals(heard(), ["judge one: a", "judge two: b", "version 1 of everything"]);
  assertEquals(publisher.publishUpstream(known("one", "c", "d")), true);
  assertEquals(heard(), ["judge one: c d", "version 2 of one", ["http://a:80"], [
    "http://c:80",
    "http://d:80",
  ]]);
  assertEquals([publisher.publishUpstream(known("one", "d", "f")), heard().length], [true, 4]);
  assertEquals(publisher.publishUpstream(known("absent", "e")), true);
  assertEquals(publisher.publishUpstream(known("one", "c", "d", "e")), false, "the other one has its place");
  assertEquals([heard(), publisher.version], [[], 3]);
});

Deno.test("fairShares() gives all what they want, but where that is too much the largest the same", () => {
  for (
    const [wanted, room, shares] of [
      [[1, 2, 3], 6, [1, 2, 3]],
      [[9, 1, 9], 11, [5, 1, 5]],
      [[9, 8, 1], 4, [2, 1, 1]],
      [[5], 3, [3]],
      [[], 3, []],
    ] as const
  ) assertEquals(fairShares(wanted, room), [...shares]);
});

Deno.test("Publisher.publish() keeps no rows for what cannot be published", () => {
  const { publisher, workers, publish, hosts } = stage();
  const tooMany = ["three", "four", "five", "six", "seven"].map((name) => known(name, "c"));
  assertThrows(() => stage().publish(...tooMany), BoardFullError);
  publish(known("one", "a"));
  workers.hold = publisher.version;
  publish(known("two", "b"));
  assertThrows(() => publish(...tooMany), BoardFullError);
  assertEquals([publisher.version, hosts()], [2, ["b"]]);
  workers.hold = null;
  publish(known("eight", "d"), known("nine", "e"), known("ten", "f"));
  assertEquals(hosts(), ["d", "e", "f"]);
});

Deno.test("Publisher gives each route a row, however many there were before", () => {
  const { publisher } = stage();
  for (let i = 0; i < 10; i++) {
    const routes = [{ name: `route-${i}`, upstream: "app" }];
    const config = configSchema.parse({ upstreams: configOf("app").upstreams, routes });
    publisher.publish(config, [known("app", "a")], "");
    assertEquals(publisher.snapshot!.routes.map(({ name }) => name), [`route-${i}`]);
  }
});
