import { assertEquals } from "@std/assert";
import type { Body } from "../../src/exchange.ts";
import { RequestBody } from "../../src/proxy/request_body.ts";
import { TimerWheel } from "../../src/timer_wheel.ts";
import type { Connection } from "../../src/upstream/connection.ts";
import { Outlet } from "../../src/upstream/outlet.ts";
import { latin1 } from "../support/raw_http.ts";

const never = () => new Promise<never>(() => {});

/** A client that has announced a body and sends none of it. */
const silent: Body = { length: 5, read: never, takeWhole: () => null, copyWhole: () => -1, cancel: () => {} };

Deno.test("a head that goes ahead of its body, and that nobody takes, runs into the limit of sending", async () => {
  let now = 0;
  const wheel = new TimerWheel({ now: () => now, every: () => () => {} });
  const passes = async (ms: number) => {
    now += ms;
    wheel.advance();
    for (let turn = 0; turn < 20; turn++) await null;
  };
  const late: string[] = [];
  const owner = { timedOutIn: null, onDeadline: (phase: string) => late.push(phase) };
  const outlet = new Outlet({ write: never } as unknown as Deno.TcpConn, wheel, owner);
  new RequestBody(silent, 1_024, 0).send({ outlet } as Connection, latin1("a head"), 1_000, wheel);
  await passes(50);
  assertEquals(late, []);
  await passes(1_050);
  assertEquals(late, ["send"]);
});
