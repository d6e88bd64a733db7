import { assertEquals } from "@std/assert";
import { OwnColumn } from "../../src/board/own.ts";
import { Admission } from "../../src/proxy/admission.ts";
import { settled } from "../support/settled.ts";
import { smallBoard } from "../support/small_board.ts";

function makeAdmission(): Admission {
  return new Admission(new OwnColumn(smallBoard(), 1));
}

Deno.test("Admission.enter() gives a slot that counts as one, however often it is given back", () => {
  const admission = makeAdmission();
  const [first] = [admission.enter(2)!, admission.enter(2)!];
  first.release();
  first.release();
  assertEquals(admission.inFlight, 1);
});

Deno.test("Admission.empty() settles for everybody who waits, once the last request has left", async () => {
  const admission = makeAdmission();
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
  const again = admission.enter(2)!;
  admission.empty().then(() => told.push("whoever asks later"));
  await settled();
  assertEquals(told.length, 2);
  again.release();
  await settled();
  assertEquals(told.length, 3);
});
