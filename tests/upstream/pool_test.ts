// What is kept, what is closed, and what the gauge of kept connections says.

import { assertEquals } from "@std/assert";
import type { Connection, ConnectionKeeper } from "../../src/upstream/connection.ts";
import { Pool } from "../../src/upstream/pool.ts";

/** A connection that says what was done with it. */
class FakeConnection {
  readonly done: string[] = [];
  private keeper: ConnectionKeeper | null = null;

  idle(_now: number, idleMs: number, keeper: ConnectionKeeper): void {
    this.done.push(`idle ${idleMs}`);
    this.keeper = keeper;
  }
  wake(): void {
    this.done.push("wake");
    this.keeper = null;
  }
  close(): void {
    this.done.push("close");
  }
  /** The endpoint ends it while it idles. */
  end(): void {
    this.keeper?.onGone(this.asConnection);
  }
  get asConnection(): Connection {
    return this as unknown as Connection;
  }
}

class Stage {
  kept = 0;
  /** As far as the pool tells. */
  closed = 0;
  readonly pool = new Pool(() => this.closed++, { move: (amount) => this.kept += amount });

  put(connection: FakeConnection, { idleMs = 1_000, max = 10 } = {}): boolean {
    return this.pool.put(connection.asConnection, 0, idleMs, max);
  }

  take(): unknown {
    return this.pool.take();
  }
}

function three(): [FakeConnection, FakeConnection, FakeConnection] {
  return [new FakeConnection(), new FakeConnection(), new FakeConnection()];
}

Deno.test("Pool.take() gives the one that came last, and wakes it", () => {
  const stage = new Stage();
  const [first, second] = three();
  assertEquals([stage.put(first), stage.put(second), stage.kept, stage.pool.size], [true, true, 2, 2]);
  assertEquals([stage.take() === second, stage.take() === first, stage.take()], [true, true, null]);
  assertEquals(first.done, ["idle 1000", "wake"]);
  assertEquals([stage.kept, stage.closed], [0, 0]);
});

Deno.test("Pool.put() closes what is too much, and what may not idle at all", () => {
  const stage = new Stage();
  const [first, second, third] = three();
  assertEquals([stage.put(first, { max: 1 }), stage.put(second, { max: 1 })], [true, false]);
  assertEquals(stage.put(third, { idleMs: 0 }), false);
  assertEquals([second.done, third.done], [["close"], ["close"]]);
  assertEquals([stage.kept, stage.pool.size, stage.closed], [1, 1, 0]);
});

Deno.test("Pool lets go of the connection that ended, and of no other", () => {
  const stage = new Stage();
  const [first, second, third] = three();
  for (const connection of [first, second, third]) stage.put(connection);
  first.end();
  assertEquals([stage.kept, stage.closed], [2, 1]);
  assertEquals([stage.take() === third, stage.take() === second, stage.take()], [true, true, null]);
});

Deno.test("Pool.close() closes what idles, and what is given back later", () => {
  const stage = new Stage();
  const [first, second, late] = three();
  for (const connection of [first, second]) stage.put(connection);
  stage.pool.close();
  assertEquals([first.done, second.done], [["idle 1000", "wake", "close"], ["idle 1000", "wake", "close"]]);
  assertEquals([stage.put(late), late.done], [false, ["close"]]);
  assertEquals([stage.kept, stage.closed, stage.pool.size, stage.take()], [0, 2, 0, null]);
});
