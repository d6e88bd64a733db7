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
  for (const one of [gone!, gone!, over!]) departures.remove(one);
  await time.run(100);
  departures.leave();
  assertEquals([young!.heard, watched!.heard], [["watch", "leave"], ["watch", "leave"]]);
  assertEquals([gone!.heard, over!.heard], [["watch"], []]);
});
