// What the publisher does when the board is full: nothing is published, and nothing is kept of the attempt.

import { assertEquals, assertThrows } from "@std/assert";
import { Board } from "../../src/board/layout.ts";
import { configSchema } from "../../src/config/schema.ts";
import { discoveredEndpoint } from "../../src/control/discovery/discovery.ts";
import { BoardFullError } from "../../src/control/row_allocator.ts";
import type { KnownUpstream } from "../../src/control/snapshots.ts";
import { Publisher } from "../../src/pod/publisher.ts";

const config = configSchema.parse({ upstreams: { app: { endpoints: ["dns+http://app.test:80"] } } });

/** The upstream as it is with endpoints on these hosts. */
function known(...hosts: string[]): KnownUpstream {
  const traits = { scheme: "http", weight: 1, backup: false, drain: false } as const;
  const endpoints = hosts.map((host) => discoveredEndpoint(traits, host, 80, "app.test"));
  return { name: "app", config: config.upstreams["app"]!, endpoints, tls: { caCerts: [] } };
}

/** A publisher over a board with room for three endpoints, whose workers apply at once. */
function stage() {
  const board = Board.create({
    columnsMax: 2,
    upstreamsMax: 1,
    endpointsMax: 3,
    routesMax: 1,
    rateSlotsMax: 1,
  });
  const supervisor = { appliedVersion: () => publisher.version, broadcast: () => {} };
  const publisher: Publisher = new Publisher(board, supervisor, { apply: () => {}, applyOne: () => {} });
  publisher.publish(config, [known("a", "b")], "");
  const hosts = () => publisher.snapshot!.upstreams[0]!.endpoints.map(({ host }) => host);
  return { publisher, hosts };
}

Deno.test("Publisher.publishUpstream() keeps no rows for what did not fit", () => {
  const { publisher, hosts } = stage();
  assertThrows(() => publisher.publishUpstream(known("a", "b", "c", "d")), BoardFullError);
  assertEquals([publisher.version, hosts()], [1, ["a", "b"]]);
  publisher.publishUpstream(known("a", "b", "e"));
  assertEquals(hosts(), ["a", "b", "e"]);
});

Deno.test("Publisher.publish() keeps no rows for what did not fit", () => {
  const { publisher, hosts } = stage();
  assertThrows(() => publisher.publish(config, [known("c", "d")], ""), BoardFullError);
  assertEquals([publisher.version, hosts()], [1, ["a", "b"]]);
  publisher.publish(config, [known("a", "b", "e")], "");
  assertEquals(hosts(), ["a", "b", "e"]);
});
