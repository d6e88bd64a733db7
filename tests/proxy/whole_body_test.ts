import { assertEquals } from "@std/assert";
import { WholeBody } from "../../src/proxy/whole_body.ts";
import { latin1 } from "../support/raw_http.ts";

Deno.test("WholeBody gives its bytes once, however it is read", async () => {
  const bytes = latin1("abc");
  const read = async (body: WholeBody) => [await body.read(), await body.read(), body.takeWhole()];
  assertEquals(await read(new WholeBody(bytes)), [bytes, null, null]);
  assertEquals(await read(new WholeBody(new Uint8Array())), [null, null, null]);
  const taken = new WholeBody(bytes);
  assertEquals([taken.takeWhole(), taken.takeWhole(), await taken.read(), taken.length], [
    bytes,
    null,
    null,
    3,
  ]);
  const copied = new WholeBody(bytes);
  const into = new Uint8Array(5);
  assertEquals([copied.copyWhole(into, 3), copied.copyWhole(into, 2), copied.copyWhole(into, 0)], [
    -1,
    3,
    -1,
  ]);
  assertEquals([...into], [0, 0, ...bytes]);
  const lent = new WholeBody(bytes);
  const got: Uint8Array[] = [];
  assertEquals([lent.lendWhole((all) => got.push(all)), lent.lendWhole((all) => got.push(all))], [3, -1]);
  assertEquals(got, [bytes]);
  const cancelled = new WholeBody(bytes);
  cancelled.cancel();
  assertEquals([await cancelled.read(), cancelled.copyWhole(into, 0)], [null, -1]);
});
