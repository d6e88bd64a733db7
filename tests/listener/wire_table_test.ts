// Who may come in, who makes room for them, and when deadlines are looked at.

import { assertEquals } from "@std/assert";
import { type ListenConfig, listenSchema } from "../../src/config/schema.ts";
import { type Tabled, WireTable } from "../../src/listener/wire_table.ts";
import { StillTime } from "../support/still_time.ts";

/** A connection of an address, `a` for `a1` and none for `-1`; closing it takes it out of the table, as its socket does. */
class Caller implements Tabled {
  older: Tabled | null = null;
  newer: Tabled | null = null;
  idle = false;
  idleSince = 0;
  address: string | null;
  readonly checkedAt: number[] = [];

  constructor(readonly name: string, private readonly stage: Stage) {
    this.address = name[0] === "-" ? null : name[0]!;
  }
  checkDeadlines(clock: number): void {
    this.checkedAt.push(clock);
  }
  drain(): void {}
  giveWay(): Promise<void> {
    this.close();
    return Promise.resolve();
  }
  close(): void {
    this.stage.closed.push(this.name);
    this.stage.table.remove(this);
  }
}

class Stage {
  readonly time = new StillTime(100);
  readonly closed: string[] = [];
  readonly changes: number[] = [];
  readonly callers = new Map<string, Caller>();
  readonly table: WireTable;

  constructor(listen: Partial<ListenConfig> = {}) {
    this.table = new WireTable(
      { ...listenSchema.parse({}), ...listen },
      this.time.wheel,
      (change) => this.changes.push(change),
    );
  }

  /** They come in, and idle. */
  come(...names: string[]): this {
    for (const name of names) {
      const caller = new Caller(name, this);
      this.callers.set(name, caller);
      this.table.add(caller);
      this.table.idle(caller);
    }
    return this;
  }

  caller(name: string): Caller {
    return this.callers.get(name)!;
  }

  busy(...names: string[]): this {
    for (const name of names) this.table.busy(this.caller(name));
    return this;
  }

  /** Who is closed for one of `address`; null when it may not come in. */
  admit(address: string): string | null {
    const before = this.closed.length;
    return this.table.admits(address) ? this.closed.slice(before).join() : null;
  }
}

/** With room for three, two of each address: who is there and which of them are busy -> who goes for one of `a`. */
const rooms: Record<string, readonly [come: string, busy: string, goes: string | null]> = {
  "room for all": ["a1 b1", "", ""],
  "no room: who idles the longest goes": ["b1 b2 c1", "", "b1"],
  "no room: who is busy stays": ["b1 b2 c1", "b1", "b2"],
  "no room and all busy": ["b1 b2 c1", "b1 b2 c1", null],
  "an address at its limit: its own go, not those that idle longer": ["b1 a1 a2", "", "a1"],
  "an address at its limit, one busy": ["b1 a1 a2", "a1", "a2"],
  "an address at its limit, all busy: others' room is not for it": ["b1 a1 a2", "a1 a2", null],
};

for (const [what, [come, busy, goes]] of Object.entries(rooms)) {
  Deno.test(`WireTable.admits(): ${what}`, () => {
    const stage = new Stage({ connectionsMax: 3, connectionsPerAddressMax: 2 });
    stage.come(...come.split(" ")).busy(...busy.split(" ").filter((name) => name !== ""));
    assertEquals(stage.admit("a"), goes);
  });
}

Deno.test("WireTable.admits() counts addresses as they leave, and only where they are limited", () => {
  const limited = new Stage({ connectionsMax: 9, connectionsPerAddressMax: 2 }).come("a1", "a2").busy(
    "a1",
    "a2",
  );
  assertEquals(limited.admit("a"), null);
  limited.caller("a1").close();
  limited.caller("a1").close();
  assertEquals(limited.admit("a"), "");
  limited.come("a3").busy("a3");
  assertEquals(limited.admit("a"), null, "leaving twice counts once");
  for (const name of ["a2", "a3"]) limited.caller(name).close();
  assertEquals([limited.table.size, limited.changes.reduce((sum, change) => sum + change)], [0, 0]);

  const one = new Stage({ connectionsMax: 3, connectionsPerAddressMax: 1 }).come("a1").busy("a1");
  assertEquals([one.admit("a"), one.admit("b")], [null, ""]);

  const free = new Stage({ connectionsMax: 3, connectionsPerAddressMax: 0 }).come("a1", "a2").busy(
    "a1",
    "a2",
  );
  assertEquals(free.admit("a"), "");
});

Deno.test("WireTable.name() counts a connection from when its address is known, and where there is room", () => {
  const stage = new Stage({ connectionsMax: 9, connectionsPerAddressMax: 1 }).come("-1", "-2", "-3", "-4");
  const { table } = stage;
  stage.busy("-1");
  assertEquals([table.admits(null), table.name(stage.caller("-1"), "a")], [true, true]);
  assertEquals([table.name(stage.caller("-2"), "a"), stage.caller("-2").address], [false, null]);
  assertEquals(table.name(stage.caller("-2"), "b"), true);
  assertEquals([table.name(stage.caller("-3"), "b"), stage.closed], [true, ["-2"]], "an idle one makes room");
  assertEquals([table.name(stage.caller("-4"), null), stage.closed.length], [true, 1]);
  for (const name of ["-1", "-3", "-4"]) stage.caller(name).close();
  assertEquals([stage.admit("a"), stage.admit("b"), table.size], ["", "", 0]);
});

Deno.test("WireTable closes in the order of idling, whoever leaves the line or joins it again", () => {
  const stage = new Stage().come("a1", "a2", "a3", "a4", "a5");
  const { table } = stage;
  stage.busy("a3", "a1", "a5");
  table.idle(stage.caller("a1"));
  table.idle(stage.caller("a1"));
  table.busy(stage.caller("a5"));
  while (table.closeOldestIdle());
  assertEquals(stage.closed, ["a2", "a4", "a1"]);
  table.idle(stage.caller("a5"));
  table.idle(stage.caller("a3"));
  while (table.closeOldestIdle());
  assertEquals(stage.closed.slice(3), ["a5", "a3"]);
});

Deno.test("WireTable looks at deadlines four times within the shortest, as long as somebody is there", async () => {
  const stage = new Stage({ headReadMs: 1_000, keepAliveIdleMs: 2_000 }).come("a1");
  assertEquals([stage.table.sweepMs, stage.table.clock, stage.table.after(1_000)], [250, 100, 1_350]);
  await stage.time.run(1_000);
  const { checkedAt } = stage.caller("a1");
  assertEquals([checkedAt, stage.table.clock], [[350, 600, 850, 1_100], 1_100]);
  stage.caller("a1").close();
  await stage.time.run(1_000);
  assertEquals([checkedAt.length, stage.table.clock], [4, 1_100]);
  stage.come("a2");
  assertEquals(stage.table.clock, 2_100, "the clock of nobody has stood still");
});

Deno.test("WireTable goes on looking at the others' deadlines when one comes or leaves", async () => {
  const stage = new Stage({ headReadMs: 1_000, keepAliveIdleMs: 1_000 }).come("a1", "a2");
  const after = async (ms: number) => {
    await stage.time.run(ms);
    return stage.caller("a1").checkedAt.at(-1);
  };
  assertEquals(await after(250), 350);
  stage.caller("a2").close();
  assertEquals(await after(250), 600);
  await after(100);
  stage.come("a3");
  assertEquals([stage.table.clock, await after(150)], [600, 850]);
});

for (const [shortest, sweepMs] of [[8, 10], [40, 10], [44, 11], [4_000, 1_000], [60_000, 1_000]] as const) {
  Deno.test(`WireTable with a shortest deadline of ${shortest} ms looks every ${sweepMs} ms`, () => {
    const rest = { headReadMs: 90_000, keepAliveIdleMs: 90_000 };
    for (const key of ["headReadMs", "keepAliveIdleMs"]) {
      assertEquals(new Stage({ ...rest, [key]: shortest }).table.sweepMs, sweepMs);
    }
  });
}

Deno.test("WireTable.forEach() visits each that was there, whoever leaves meanwhile", () => {
  const stage = new Stage().come("a1", "a2", "a3");
  const visited: string[] = [];
  stage.table.forEach((connection) => {
    visited.push((connection as Caller).name);
    connection.close();
  });
  assertEquals([visited, stage.table.size], [["a1", "a2", "a3"], 0]);
});
