import { assertEquals } from "@std/assert";
import { EndpointState, stateWords } from "../../src/board/verdicts.ts";

Deno.test("stateWords() has a word for every state", () => {
  const every = Object.values(EndpointState).reduce((bits, bit) => bits | bit, 0);
  assertEquals(stateWords(every).sort(), Object.keys(EndpointState).sort());
  assertEquals(stateWords(0), ["serving"]);
});
