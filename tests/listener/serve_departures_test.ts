import { assertEquals } from "@std/assert";
import { Departures, type Watched } from "../../src/listener/serve_departures.ts";
import { TimerWheel } from "../../src/timer_wheel.ts";

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
  let now = 0;
  const wheel = new TimerWheel({ now: () => now, every: () => () => {} });
  return {
    departures: new Departures(wheel),
    asking: Array.from({ length: 4 }, () => new Asking()),
    passes(ms: number): void {
      for (const end = now + ms; now < end; now += 10) wheel.advance();
      wheel.advance();
    },
  };
}

Deno.test("a request is watched once it has taken a moment, and is told to leave while it goes on", () => {
  const { departures, asking: [short, long], passes } = setUp();
  departures.add(short!);
  departures.add(long!);
  departures.remove(short!);
  assertEquals(long!.heard, []);
  passes(100);
  assertEquals(long!.heard, ["watch"]);
  departures.leave();
  assertEquals([short!.heard, long!.heard], [[], ["watch", "leave"]]);
});

Deno.test("a request that is watched from its beginning is watched once", () => {
  const { departures, asking: [first], passes } = setUp();
  departures.watch(first!);
  passes(100);
  departures.leave();
  assertEquals(first!.heard, ["watch", "leave"]);
});

Deno.test("whoever is removed twice, or never stood here, takes nobody else along", () => {
  const { departures, asking: [gone, over, young, watched], passes } = setUp();
  departures.add(young!);
  departures.watch(watched!);
  departures.watch(gone!);
  for (const one of [gone!, gone!, over!]) departures.remove(one);
  passes(100);
  departures.leave();
  assertEquals([young!.heard, watched!.heard], [["watch", "leave"], ["watch", "leave"]]);
  assertEquals([gone!.heard, over!.heard], [["watch"], []]);
});
