// Wire out of descriptors: accepts that fail, scripted, and who makes room for the next.

import { assertEquals } from "@std/assert";
import { openListener } from "../../src/listener/listening.ts";
import { Pools } from "../../src/upstream/pools.ts";
import { withFailingAccepts } from "../support/failing_accepts.ts";
import { listenOptions } from "../support/listen_options.ts";
import { RawClient, requestText } from "../support/raw_client.ts";
import { StillTime } from "../support/still_time.ts";
import { until } from "../support/until.ts";

/** A wire listener, the worker's other idle connections, and a clock that the test turns. */
class Stage implements Disposable {
  /** Connections to endpoints that were closed, by since when they idled. */
  readonly closed: number[] = [];
  private readonly time = new StillTime();
  private accepted = 0;
  private failing = false;
  private readonly pools = new Pools();
  private readonly listener;
  private readonly url: string;

  /** @param idle since when connections to endpoints idle */
  constructor(idle: number[]) {
    const giveWay = () => {
      this.closed.push(idle.shift()!);
      return Promise.resolve();
    };
    this.pools.add({
      get oldest() {
        return idle.length === 0 ? null : { idleSince: idle[0]!, giveWay };
      },
    });
    this.listener = this.open();
    this.pools.add(this.listener);
    this.url = `http://127.0.0.1:${this.listener.port}`;
  }

  private open() {
    const failure = () => {
      this.accepted++;
      if (!this.failing) return undefined;
      this.failing = false;
      return new Error("Too many open files (os error 24)");
    };
    const { wheel } = this.time;
    const makeRoom = (since: number) => this.pools.makeRoom(since);
    return withFailingAccepts(failure, () => openListener(listenOptions("wire", { wheel, makeRoom })));
  }

  /** Turns the clock. */
  at(now: number): void {
    this.time.pass(now - this.time.now);
  }

  /** A client that has come in. */
  async client(): Promise<RawClient> {
    const before = this.accepted;
    const client = await RawClient.connect(this.url);
    await until("it is accepted", () => this.accepted > before);
    return client;
  }

  /** The next accept fails. */
  async short(): Promise<void> {
    this.failing = true;
    const client = await this.client();
    await client.reset();
    await until("it has failed", () => !this.failing);
  }

  [Symbol.dispose](): void {
    this.listener.abort();
  }
}

async function asks(client: RawClient): Promise<void> {
  await client.send(requestText("GET", "/"));
  assertEquals((await client.response()).status, 204);
}

Deno.test("whatever idles the longest makes room for clients: one of them, or a connection to an endpoint", async () => {
  using stage = new Stage([10, 30]);
  stage.at(20);
  await using older = await stage.client();
  stage.at(100);
  await using younger = await stage.client();
  await stage.short();
  assertEquals(await older.untilClosed(), "");
  assertEquals(stage.closed, [10, 30]);
  await asks(younger);
});

Deno.test("clients that have just come, or have just been answered, make no room", async () => {
  using stage = new Stage([]);
  await using answered = await stage.client();
  stage.at(60);
  await using come = await stage.client();
  await asks(answered);
  stage.at(100);
  await stage.short();
  for (const client of [answered, come]) await asks(client);
});
