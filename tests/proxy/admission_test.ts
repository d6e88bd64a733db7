import { assertEquals } from "@std/assert";
import { Board } from "../../src/board/layout.ts";
import { OwnColumn } from "../../src/board/own.ts";
import { Admission } from "../../src/proxy/admission.ts";
import { settled } from "../support/settled.ts";

Deno.test("Admission.empty() settles for everybody who waits, once the last request has left", async () => {
  const capacity = { columnsMax: 2, upstreamsMax: 1, endpointsMax: 1, routesMax: 1, rateSlotsMax: 1 };
  const admission = new Admission(new OwnColumn(Board.create(capacity), 1));
  const slots = [admission.enter(2)!, admission.enter(2)!];
  const told: string[] = [];
  for (const who of ["the drain", "who cuts what is left"]) admission.empty().then(() => told.push(who));
  slots[0]!.release();
  await settled();
  assertEquals(told, []);
  slots[1]!.release();
  await settled();
  assertEquals(told, ["the drain", "who cuts what is left"]);
  await admission.empty();
});
