import { assertEquals } from "@std/assert";
import { plainAddress, TrustedProxies } from "../../src/proxy/client_address.ts";

const proxies = ["10.0.0.0/8", "192.0.2.7", "2001:db8::7", "fd00::/8"];
const addresses: Record<string, boolean> = {
  "10.0.0.0": true,
  "10.255.255.255": true,
  "11.0.0.0": false,
  "192.0.2.7": true,
  "192.0.2.6": false,
  "::ffff:10.1.2.3": true,
  "::ffff:11.1.2.3": false,
  "2001:db8::7": true,
  "2001:0db8:0::7": true,
  "2001:db8::6": false,
  "fdff::1": true,
  "fe00::1": false,
  "": false,
  "a.test": false,
};

Deno.test("TrustedProxies.trusts() the addresses in its ranges and no others, and says the same again", () => {
  const trusted = new TrustedProxies(proxies);
  for (let round = 0; round < 2; round++) {
    for (const [address, expected] of Object.entries(addresses)) {
      assertEquals(trusted.trusts(address), expected, address);
    }
  }
  for (const address of Object.keys(addresses)) assertEquals(new TrustedProxies([]).trusts(address), false);
});

Deno.test("plainAddress() writes IPv4 as such, and leaves the rest as it is", () => {
  for (
    const [address, plain] of [
      ["::ffff:192.0.2.9", "192.0.2.9"],
      ["192.0.2.9", "192.0.2.9"],
      ["2001:db8::9", "2001:db8::9"],
      ["::ffff:0:0", "::ffff:0:0"],
      ["::192.0.2.9", "::192.0.2.9"],
    ] as const
  ) assertEquals(plainAddress(address), plain);
});
