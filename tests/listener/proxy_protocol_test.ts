import { assertEquals, assertThrows } from "@std/assert";
import { parseProxyHeader } from "../../src/listener/proxy_protocol.ts";
import { concat, latin1 } from "../support/raw_http.ts";

const [LOCAL, PROXY] = [0x20, 0x21];
const IPV4 = [192, 0, 2, 7, 10, 0, 0, 1, 0x13, 0x88, 0, 80];

/** A header of version 2 with this command, family and protocol, and addresses. */
function version2(command: number, family: number, addresses: readonly number[]): Uint8Array {
  const signature = latin1("\r\n\r\n\0\r\nQUIT\n");
  return concat([signature, Uint8Array.of(command, family, 0, addresses.length, ...addresses)]);
}

function peerOf(header: Uint8Array) {
  const parsed = parseProxyHeader(header, 0, header.length)!;
  assertEquals(parsed.bytes, header.length);
  return parsed.peer;
}

Deno.test("parseProxyHeader() takes the address of TCP and of UDP", () => {
  for (const family of [0x11, 0x12]) {
    assertEquals(peerOf(version2(PROXY, family, IPV4)), { hostname: "192.0.2.7", port: 5_000 });
  }
});

Deno.test("parseProxyHeader() learns nobody's address from UNSPEC, a Unix socket, or LOCAL of any family", () => {
  for (const family of [0x00, 0x31, 0x32]) assertEquals(peerOf(version2(PROXY, family, IPV4)), null);
  for (const family of [0x00, 0x11, 0x41, 0x13, 0xff]) {
    assertEquals(peerOf(version2(LOCAL, family, IPV4)), null);
  }
});

Deno.test("parseProxyHeader() refuses families and protocols that are not defined", () => {
  for (const family of [0x40, 0x41, 0xf1, 0x13, 0x03, 0x3f, 0xff]) {
    assertThrows(
      () => peerOf(version2(PROXY, family, IPV4)),
      Error,
      "PROXY header: unknown address family or protocol",
    );
  }
});
