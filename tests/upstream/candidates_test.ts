import { assertEquals } from "@std/assert";
import { EndpointState } from "../../src/board/verdicts.ts";
import { narrow } from "../../src/upstream/candidates.ts";

const { unhealthy, ejected, draining, leaving, unchecked } = EndpointState;

/** Letters stand for states: `s`erving, `u`nhealthy, `e`jected, `d`raining, `l`eaving, `n`ew; capitals are backups. */
const STATES: Record<string, number> = {
  s: 0,
  u: unhealthy,
  e: ejected,
  d: draining,
  x: draining | unhealthy,
  l: leaving,
  n: unchecked,
};

function groupOf(letters: string) {
  return [...letters].map((letter, place) => ({
    backup: letter !== letter.toLowerCase(),
    state: STATES[letter.toLowerCase()]!,
    place,
  }));
}

/** Of a group like `ssuB`: the places of those that may take a request, and `!` for panic. */
function usable(group: string, whenAllUnhealthy: "panic" | "fail" = "panic", panicPercent = 50): string {
  const { endpoints, panic } = narrow(groupOf(group), { whenAllUnhealthy, panicPercent });
  return endpoints.map(({ place }) => place).join("") + (panic ? "!" : "");
}

for (
  const [what, group, inPanic, failing] of [
    ["all serving", "sss", "012", "012"],
    ["one of two out: half is enough", "su", "0", "0"],
    ["one of three left: panic uses all, fail what is left", "suu", "012!", "0"],
    ["none left", "uue", "012!", ""],
    ["a backup rests while enough primaries serve", "ssS", "01", "01"],
    ["a backup helps when too few primaries serve, before there is panic", "suuS", "03", "03"],
    ["a backup that is down does not help", "uU", "0!", ""],
    ["one that drains takes nothing while others serve", "sd", "0", "0"],
    ["one that drains still serves when nobody else does", "ud", "1", "1"],
    ["one that drains and is unhealthy does not serve", "ux", "0!", ""],
    ["one that drains does not make the others too few", "sddd", "0", "0"],
    ["when all leave at once they serve until their successors are known", "lL", "01", "01"],
    ["what leaves discovery takes nothing, in panic neither", "ul", "0!", ""],
    ["an empty group", "", "", ""],
    [
      "many that join at once take nothing before their first check, and cause no panic",
      "sssnnnnnnn",
      "012",
      "012",
    ],
    ["panic among the known leaves out the new", "suun", "012!", "0"],
    ["with nobody else the new are used in panic", "un", "01!", ""],
    ["only backups", "SS", "01", "01"],
    ["only backups, all down", "UU", "01!", ""],
  ] as const
) {
  Deno.test(`narrow(): ${what}`, () => {
    assertEquals([usable(group), usable(group, "fail")], [inPanic, failing]);
  });
}

Deno.test("narrow() with panicPercent 0 panics only when nobody is left", () => {
  assertEquals([usable("suuu", "panic", 0), usable("uu", "panic", 0)], ["0", "01!"]);
});

for (
  const [what, group, expected] of [
    ["all primaries serving: nobody is left", "sss", ""],
    ["the backups that serve, then those that drain", "sdSUD", "214"],
    ["backups that are candidates already are no spares", "uSd", "2"],
    ["nobody that is unhealthy, ejected, new or leaving", "sueln", ""],
  ] as const
) {
  Deno.test(`narrow() spares: ${what}`, () => {
    const { spares } = narrow(groupOf(group), { whenAllUnhealthy: "fail", panicPercent: 0 });
    assertEquals(spares.map(({ place }) => place).join(""), expected);
  });
}
