import { assertEquals } from "@std/assert";
import { EMPTY_ANSWERS_BELIEVED, NameMemory } from "../../src/control/discovery/name_memory.ts";
import type { AddressAnswer } from "../../src/control/discovery/resolver.ts";

Deno.test("NameMemory.learn() drops a family only when it has been empty several times in a row", () => {
  const both: AddressAnswer = { v4: ["10.0.0.1"], v6: ["fd00::1"] };
  const onlyV4: AddressAnswer = { v4: ["10.0.0.1"], v6: [] };
  const memory = new NameMemory();
  const after = [both, onlyV4, onlyV4, both, onlyV4, onlyV4, onlyV4].map((answer) => {
    memory.learn(answer);
    return memory.addresses.length;
  });
  assertEquals(EMPTY_ANSWERS_BELIEVED, 3);
  assertEquals(after, [2, 2, 2, 2, 2, 2, 1]);
});

Deno.test("NameMemory.learn() keeps a family that gives no answer, and says why", () => {
  const memory = new NameMemory();
  memory.learn({ v4: ["10.0.0.1"], v6: ["fd00::1"] });
  const problem = memory.learn({ v4: ["10.0.0.2"], v6: null, reason: "no answer within 2000 ms" });
  assertEquals([problem, memory.addresses], ["IPv6: no answer within 2000 ms", ["10.0.0.2", "fd00::1"]]);
});
