import { assertEquals } from "@std/assert";
import { Known, knownHeader, knownHeaderIn } from "../../src/http1/known.ts";
import { latin1 } from "../support/raw_http.ts";

/** The header that a name is, as a text and as bytes within others. */
function known(name: string): number[] {
  return [knownHeader(name), knownHeaderIn(latin1(`xx${name}: `), 2, 2 + name.length)];
}

/** Those that stand for one name each, which they are called by. */
const NAMED = Object.entries(Known).filter(([, header]) =>
  header !== Known.other && header !== Known.xForwardedOther
);
const NAMES = [
  ...NAMED.map(([key, header]) => {
    const name = key === "http2Settings" ? "http2-settings" : key.replace(/[A-Z]/g, "-$&").toLowerCase();
    return [name, header] as const;
  }),
  ...["by", "port", "prefix", "scheme", "server", "ssl"].map((rest) =>
    [`x-forwarded-${rest}`, Known.xForwardedOther] as const
  ),
];

Deno.test("knownHeader() knows each name in any case, and none that differs in a letter", () => {
  for (const [name, header] of NAMES) {
    for (const spelt of [name, name.toUpperCase(), name[0]!.toUpperCase() + name.slice(1)]) {
      assertEquals(known(spelt), [header, header], spelt);
    }
    for (const other of [`~${name.slice(1)}`, `${name.slice(0, -1)}~`, `${name}s`, name.slice(1)]) {
      assertEquals(known(other), [Known.other, Known.other], other);
    }
  }
});

Deno.test("knownHeader() takes a name of any length", () => {
  for (let length = 0; length < 100; length++) {
    assertEquals(known("x".repeat(length)), [Known.other, Known.other], `${length}`);
  }
});
