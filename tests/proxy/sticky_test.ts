import { assert, assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { StickyCookies } from "../../src/proxy/sticky.ts";
import { stickySchema } from "../../src/config/schema.ts";

const IDS = ["http://10.0.0.1:80", "http://10.0.0.2:80", "http://10.0.0.3:80"];
const CONFIG = stickySchema.parse({});
const JOINED = {
  row: 9,
  scheme: "http",
  host: "10.0.0.9",
  port: 80,
  authority: "10.0.0.9",
  weight: 1,
  backup: false,
} as const;

function cookies(given: { key?: string; upstream?: string; ids?: string[]; config?: object } = {}) {
  const config = stickySchema.parse(given.config ?? {});
  return new StickyCookies(config, given.key ?? "secret", given.upstream ?? "api", given.ids ?? IDS);
}

/** `name=value` of a Set-Cookie line. */
const pair = (line: string | null) => line!.slice(0, line!.indexOf(";"));

Deno.test("StickyCookies find the endpoint that they named", () => {
  const sticky = cookies();
  for (const id of IDS) {
    assertEquals(sticky.endpointOf(["Cookie", `a=1; ${pair(sticky.setCookieFor(id))}; b=2`]), id);
  }
});

Deno.test("StickyCookies survive a restart and a change of the group", () => {
  const before = pair(cookies().setCookieFor(IDS[1]!));
  assertEquals(cookies({ ids: ["http://10.0.0.9:80", IDS[1]!] }).endpointOf(["cookie", before]), IDS[1]);
  assertEquals(cookies({ ids: [IDS[0]!] }).endpointOf(["cookie", before]), null);
});

Deno.test("StickyCookies follow what discovery finds: who left has none, who came has", () => {
  const sticky = cookies();
  const [gone, stays] = [IDS[0]!, IDS[1]!].map((id) => pair(sticky.setCookieFor(id)));
  sticky.change({ left: [IDS[0]!], joined: [{ ...JOINED, id: "http://10.0.0.9:80" }] });
  assertEquals(sticky.endpointOf(["cookie", gone!]), null);
  assertEquals(sticky.setCookieFor(IDS[0]!), null);
  assertEquals(sticky.endpointOf(["cookie", stays!]), IDS[1]);
  const came = pair(sticky.setCookieFor("http://10.0.0.9:80"));
  assertEquals(sticky.endpointOf(["cookie", came]), "http://10.0.0.9:80");
  assertEquals(came, pair(cookies({ ids: ["http://10.0.0.9:80"] }).setCookieFor("http://10.0.0.9:80")));
});

Deno.test("StickyCookies believe nothing that was not signed with their key for their upstream", () => {
  const sticky = cookies();
  const foreign = [
    pair(cookies({ key: "other" }).setCookieFor(IDS[0]!)),
    pair(cookies({ upstream: "web" }).setCookieFor(IDS[0]!)),
    `${CONFIG.cookie}=`,
    `${CONFIG.cookie}=${IDS[0]}`,
    `${CONFIG.cookie}=__proto__`,
    pair(sticky.setCookieFor(IDS[0]!)).slice(0, -1),
    pair(sticky.setCookieFor(IDS[0]!)).replace(CONFIG.cookie, "other"),
  ];
  for (const cookie of foreign) assertEquals(sticky.endpointOf(["Cookie", cookie]), null, cookie);
  assertEquals(sticky.endpointOf([]), null);
});

Deno.test("StickyCookies look past a cookie of the same name that somebody else set", () => {
  const sticky = cookies();
  const line = `${CONFIG.cookie}=junk; ${pair(sticky.setCookieFor(IDS[2]!))}`;
  assertEquals(sticky.endpointOf(["Cookie", line]), IDS[2]);
});

Deno.test("StickyCookies do not tell addresses", () => {
  const line = cookies().setCookieFor(IDS[0]!);
  assert(!line!.includes("10.0.0.1"));
  assert(!atob(pair(line).split("=")[1]!.replaceAll("-", "+").replaceAll("_", "/")).includes("10.0"));
  assertNotEquals(pair(line), pair(cookies().setCookieFor(IDS[1]!)));
});

for (
  const [config, attributes] of [
    [{}, /^weir_affinity=[\w-]{22}; HttpOnly; SameSite=Lax; Path=\/$/],
    [
      { cookie: "c", maxAgeS: 60, secure: true },
      /^c=[\w-]{22}; Secure; HttpOnly; Max-Age=60; SameSite=Lax; Path=\/$/,
    ],
    [{ sameSite: "None" }, /; Secure; HttpOnly; SameSite=None; /],
  ] as const
) {
  Deno.test(`StickyCookies with ${JSON.stringify(config)} say ${attributes.source}`, () => {
    assertMatch(cookies({ config }).setCookieFor(IDS[0]!)!, attributes);
  });
}

Deno.test("StickyCookies refuse to work without a key", () => {
  assertThrows(() => cookies({ key: "" }), Error, "stickyKeyFile or WEIR_STICKY_KEY");
});
