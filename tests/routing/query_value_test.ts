import { assertEquals } from "@std/assert";
import { queryValue } from "../../src/routing/query_value.ts";

const VALUES: readonly (readonly [target: string, name: string, value: string | undefined])[] = [
  ["/", "a", undefined],
  ["/?a=b", "a", "b"],
  ["/?a=b&a=c", "a", "b"],
  ["/?ab=c&a=b", "a", "b"],
  ["/?a", "a", ""],
  ["/?&&a=b=c", "a", "b=c"],
  ["/?%61=%62+c", "a", "b c"],
  ["/?%C3%a9+x=1", "é x", "1"],
  ["/?a%=1&%=2", "a", undefined],
  ["/?a%=1&%=2", "%", "2"],
  ["/?%2=1&%25=2", "%", "2"],
  ["/?%ff=1", "%ff", "1"],
  ["/?%ff=1", "ÿ", undefined],
  ["/?a=%ff+", "a", "%ff "],
  ["/?%41%=1", "A", undefined],
  ["/?+=1", " ", "1"],
];

for (const [target, name, value] of VALUES) {
  Deno.test(`queryValue() of ${JSON.stringify(name)} in ${target} is ${JSON.stringify(value)}`, () => {
    assertEquals(queryValue(target, name), value);
  });
}

Deno.test("queryValue() decodes no name but one that is like the one looked for, since decoding may throw", () => {
  const decode = globalThis.decodeURIComponent;
  let decoded = 0;
  globalThis.decodeURIComponent = (text) => {
    decoded++;
    return decode(text);
  };
  try {
    assertEquals(queryValue("/?" + "%&%ff&%f=1&+&".repeat(1_000) + "%61=b", "a"), "b");
  } finally {
    globalThis.decodeURIComponent = decode;
  }
  assertEquals(decoded, 1);
});
