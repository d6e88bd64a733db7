import { assertEquals } from "@std/assert";
import { Departures, type Watched } from "../../src/listener/serve_departures.ts";
import { StillTime } from "../support/still_time.ts";

/** A request that notes what it is told. */
class Asking implements Watched {
  watchAt = 0;
  older: Watched | null = null;
  newer: Watched | null = null;
  readonly heard: string[] = [];

  watch(): void {
    this.heard.push("watch");
  }

  leave(): void {
    this.heard.push("leave");
  }
}

function setUp() {
  const time = new StillTime();
  return {
    time,
    departures: new Departures(time.wheel),
    asking: Array.from({ length: 4 }, () => new Asking()),
  };
}

Deno.test("a request is watched once it has taken a moment, and is told to leave while it goes on", async () => {
  const { departures, asking: [short, long], time } = setUp();
  departures.add(short!);
  departures.add(long!);
  departures.remove(short!);
  assertEquals(long!.heard, []);
  await time.run(100);
  assertEquals(long!.heard, ["watch"]);
  departures.leave();
  assertEquals([short!.heard, long!.heard], [[], ["watch", "leave"]]);
});

Deno.test("a request that is watched from its beginning is watched once", async () => {
  const { departures, asking: [first], time } = setUp();
  departures.watch(first!);
  await time.run(100);
  departures.leave();
  assertEquals(first!.heard, ["watch", "leave"]);
});

Deno.test("whoever is removed twice, or never stood here, takes nobody else along", async () => {
  const { departures, asking: [gone, over, young, watched], time } = setUp();
  departures.add(young!);
  departures.watch(watched!);
  departures.watch(gone!);
  assertEquals(departures.count, 3);
  for (const one of [gone!, gone!, over!]) departures.remove(one);
  assertEquals(departures.count, 2);
  await time.run(100);
  assertEquals(departures.count, 2);
  departures.leave();
  assertEquals([young!.heard, watched!.heard], [["watch", "leave"], ["watch", "leave"]]);
  assertEquals([gone!.heard, over!.heard], [["watch"], []]);
  for (const one of [young!, watched!]) departures.remove(one);
  assertEquals(departures.count, 0);
});

Deno.test("each request is watched within three looks, however many come behind it, and none before it has taken a moment", async () => {
  const time = new StillTime();
  const departures = new Departures(time.wheel);
  const requests: { readonly asking: Asking; readonly at: number; watchedAt?: number }[] = [];
  for (let at = 0; at < 400; at += 10) {
    if (at < 200) {
      const asking = new Asking();
      requests.push({ asking, at });
      departures.add(asking);
    }
    await time.pass(10);
    for (const request of requests) if (request.asking.heard.length > 0) request.watchedAt ??= time.now;
  }
  const took = requests.map(({ at, watchedAt = Infinity }) => watchedAt - at);
  assertEquals([took.length, took.every((ms) => ms >= 20 && ms <= 70)], [20, true], took.join());
  assertEquals([time.ticking, departures.over], [false, false]);
});

Deno.test("whoever has only begun is told to leave, too", () => {
  const { departures, asking: [first, second] } = setUp();
  departures.add(first!);
  departures.add(second!);
  departures.leave();
  assertEquals([first!.heard, second!.heard, departures.over], [["leave"], ["leave"], true]);
});
