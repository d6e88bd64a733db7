import { assertEquals } from "@std/assert";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import {
  isWithin,
  parseIp,
  parseIpv4,
  parseIpv6,
  parseNetwork,
  renderIp,
} from "../../src/config/ip_address.ts";

const rendered = (text: string) => {
  const address = parseIp(text);
  return address && renderIp(address);
};

for (
  const [text, form] of [
    ["10.0.0.1", "10.0.0.1"],
    ["::", "::"],
    ["::1", "::1"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["1:2:3:4:5:6:0:8", "1:2:3:4:5:6:0:8"],
    ["1:2:3:4:5:6::", "1:2:3:4:5:6::"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["::ffff:a00:1", "10.0.0.1"],
    ["64:ff9b::10.0.0.1", "64:ff9b::a00:1"],
    ["fe80::1%eth0", "fe80::1%eth0"],
  ] as const
) Deno.test(`renderIp() writes ${text} as ${form}`, () => assertEquals(rendered(text), form));

for (
  const text of [
    ...[
      "",
      "1",
      "10.1",
      "1.2.3",
      "1.2.3.4.5",
      "256.1.1.1",
      "010.0.0.1",
      "0x7f.0.0.1",
      " 1.2.3.4",
      "1.2.3.4%eth0",
    ],
    ...[
      ":",
      ":::",
      "1",
      "1::2::3",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:8::",
      ":1:2:3:4:5:6:7",
    ],
    ...["12345::", "g::", "[::1]", "::1%", "::1%a-b", "1.2.3.4::", "::1.2.3.4:5", "::1.2.3", "::256.0.0.1"],
  ]
) {
  Deno.test(`parseIp() takes ${JSON.stringify(text)} for no address`, () =>
    assertEquals(parseIp(text), null));
}

/** Without the long deprecated ::10.0.0.1, which ipaddr.js takes for ::ffff:10.0.0.1. */
const ipV6 = fc.ipV6().filter((text) => !/^::[\d.]+$/.test(text));

Deno.test("any IPv6 address is read and written as ipaddr.js does", () => {
  fc.assert(fc.property(ipV6, fc.constantFrom("", "%eth0"), (text, zone) => {
    const written = ipaddr.process(text + zone).toString();
    assertEquals(rendered(text + zone), written);
    // Once more, from the form that was written, which has zeros left out.
    assertEquals(rendered(written), written);
  }));
});

Deno.test("what is made of the pieces of addresses is one, or none, as ipaddr.js has it", () => {
  const piece = fc.constantFrom("0", "1", "ffff", "1f", "::", ":", ".", "1.2.3.4", "00001", "%1", "256");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 18 }), (pieces) => {
      const text = pieces.join("");
      // It takes groups of five digits and bytes of IPv4 with zeros in front.
      if (/[0-9a-f]{5}|0\d+\./i.test(text)) return;
      assertEquals(parseIpv4(text) !== null, ipaddr.IPv4.isValidFourPartDecimal(text), text);
      assertEquals(parseIpv6(text) !== null, ipaddr.IPv6.isValid(text), text);
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("isWithin() says of any address and network what ipaddr.js says", () => {
  const four = fc.tuple(fc.ipV4(), fc.ipV4(), fc.nat(32));
  const six = fc.tuple(ipV6, ipV6, fc.nat(128));
  fc.assert(fc.property(fc.oneof(four, six), fc.boolean(), ([one, other, length], near) => {
    const base = near ? one : other;
    const network = `${base}/${length}`;
    const address = ipaddr.parse(one);
    const wanted = address.match(ipaddr.parseCIDR(network) as never);
    const parse = one.includes(":") ? parseIpv6 : parseIpv4;
    assertEquals(isWithin(parse(one)!, parseNetwork(network)!), wanted, `${one} in ${network}`);
  }));
  assertEquals(isWithin(parseIp("10.0.0.1")!, parseNetwork("::/0")!), false);
  assertEquals(isWithin(parseIp("10.0.0.1")!, parseNetwork("10.0.0.1")!), true);
});

Deno.test("parseNetwork() takes an address or a length that it has", () => {
  for (
    const text of ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "fd00::/129", "fe80::1%eth0", "name", "10/8"]
  ) {
    assertEquals(parseNetwork(text), null, text);
  }
  assertEquals([
    parseNetwork("10.0.0.0/0")?.length,
    parseNetwork("fd00::/8")?.length,
    parseNetwork("::1")?.length,
  ], [
    0,
    8,
    128,
  ]);
});
