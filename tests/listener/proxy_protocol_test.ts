import { assertEquals, assertThrows } from "@std/assert";
import { Http1Error } from "../../src/http1/error.ts";
import { parseProxyHeader } from "../../src/listener/proxy_protocol.ts";

const SIGNATURE = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10];
const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** Version 2: `family` as on the wire (0x11 is TCP over IPv4), `command` 0x21 is PROXY and 0x20 LOCAL. */
function v2(
  family: number,
  body: readonly number[],
  { command = 0x21, length = body.length } = {},
): Uint8Array {
  return Uint8Array.from([...SIGNATURE, command, family, length >> 8, length & 255, ...body]);
}

const V4 = [192, 0, 2, 7, 10, 0, 0, 1, 0x13, 0x88, 0, 80];
/** Source and destination, then ports 5000 and 80. */
const v6 = (...source: readonly number[]) => [
  ...source,
  ...new Array(16 - source.length).fill(7),
  ...new Array(16).fill(0),
  0x13,
  0x88,
  0,
  80,
];
const MAPPED = v6(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 7);
const DOCUMENTED = v6(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7);
const zeros = (count: number) => new Array<number>(count).fill(0);

/** Bytes -> the client's address and port; null: the balancer speaks for itself. */
const told: Record<string, readonly [bytes: Uint8Array, client: string | null]> = {
  "version 1 over IPv4": [latin1("PROXY TCP4 192.0.2.7 10.0.0.1 5000 80\r\n"), "192.0.2.7 5000"],
  "version 1 with the highest numbers": [
    latin1("PROXY TCP4 255.255.255.255 10.0.0.1 65535 80\r\n"),
    "255.255.255.255 65535",
  ],
  "version 1 over IPv6": [latin1("PROXY TCP6 2001:db8::7 ::1 5000 80\r\n"), "2001:db8::7 5000"],
  "the longest of version 1": [
    latin1(`PROXY UNKNOWN ${"f".repeat(91)}\r\n`),
    null,
  ],
  "version 1 of nobody": [latin1("PROXY UNKNOWN\r\n"), null],
  "version 2 over IPv4": [v2(0x11, V4), "192.0.2.7 5000"],
  "version 2 of UDP": [v2(0x12, V4), "192.0.2.7 5000"],
  "version 2 over IPv6": [v2(0x21, DOCUMENTED), "2001:db8::7 5000"],
  "version 2 with every byte of an address": [
    v2(0x21, v6(0x20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)),
    "2001:203:405:607:809:a0b:c0d:e0f 5000",
  ],
  "version 2 of an IPv4 client within IPv6": [v2(0x21, MAPPED), "192.0.2.7 5000"],
  "version 2 with extensions": [v2(0x11, [...V4, 3, 0, 4, 1, 2, 3, 4]), "192.0.2.7 5000"],
  "the longest of version 2": [v2(0x11, [...V4, ...zeros(1_012)]), "192.0.2.7 5000"],
  "version 2 of a Unix socket": [v2(0x31, zeros(216)), null],
  "version 2 of a Unix datagram socket": [v2(0x32, zeros(216)), null],
  "version 2 of no family": [v2(0, []), null],
  "version 2 of the balancer's own": [v2(0x11, V4, { command: 0x20 }), null],
  "version 2 of the balancer's own, without an address": [v2(0x11, [], { command: 0x20 }), null],
};

for (const family of [0x00, 0x41, 0x13, 0xff]) {
  told[`version 2 of the balancer's own, family ${family}`] = [v2(family, V4, { command: 0x20 }), null];
}

for (const [what, [bytes, client]] of Object.entries(told)) {
  Deno.test(`parseProxyHeader() reads ${what}, once all of it is here, and nothing behind it`, () => {
    const all = Uint8Array.from([...latin1("before"), ...bytes, ...latin1("GET / HTTP/1.1\r\n")]);
    for (let length = 0; length < bytes.length; length++) {
      assertEquals(parseProxyHeader(all, 6, 6 + length), null, `${length} bytes`);
    }
    for (const end of [6 + bytes.length, all.length]) {
      const header = parseProxyHeader(all, 6, end);
      assertEquals(header?.bytes, bytes.length);
      assertEquals(header?.peer && `${header.peer.hostname} ${header.peer.port}`, client);
    }
  });
}

const line = (rest: string) => latin1(`PROXY ${rest}\r\n`);

/** Bytes that cannot begin a connection -> why. */
const refused: Record<string, readonly [bytes: Uint8Array, why: string]> = {
  "a request": [latin1("GET / HTTP/1.1\r\n"), "does not begin with a PROXY header"],
  "the beginning of a request": [latin1("PO"), "does not begin with a PROXY header"],
  "the word alone": [latin1("PROXY\r\n"), "does not begin with a PROXY header"],
  "another signature": [latin1("\r\n\r\nG"), "does not begin with a PROXY header"],
  "its signature cut short by a request": [
    Uint8Array.from([...SIGNATURE.slice(0, 11), 71]),
    "does not begin with a PROXY header",
  ],
  "a line that does not end": [latin1(`PROXY UNKNOWN ${"f".repeat(93)}`), "line too long"],
  "a line that ends a byte too late": [latin1(`PROXY UNKNOWN ${"f".repeat(92)}\r\n`), "line too long"],
  "no family": [line(""), "not `PROXY TCP4"],
  "an unknown family": [line("UDP4 192.0.2.7 10.0.0.1 5000 80"), "not `PROXY TCP4"],
  "an unknown family with an IPv6 address": [line("UDP6 2001:db8::7 ::1 5000 80"), "not `PROXY TCP4"],
  "an address of the other family": [line("TCP4 2001:db8::7 ::1 5000 80"), "not `PROXY TCP4"],
  "the same the other way round": [line("TCP6 192.0.2.7 10.0.0.1 5000 80"), "not `PROXY TCP4"],
  "an address of four parts, one too large": [line("TCP4 192.0.2.256 10.0.0.1 5000 80"), "not `PROXY TCP4"],
  "an address of three parts": [line("TCP4 192.0.2 10.0.0.1 5000 80"), "not `PROXY TCP4"],
  "an address of five parts": [line("TCP4 192.0.2.7.1 10.0.0.1 5000 80"), "not `PROXY TCP4"],
  "a name for an address": [line("TCP6 dead.beef ::1 5000 80"), "not `PROXY TCP4"],
  "an address with a zone": [line("TCP6 fe80::1%eth0 ::1 5000 80"), "not `PROXY TCP4"],
  "a bracket in an address": [line("TCP6 ::1]/ ::1 5000 80"), "not `PROXY TCP4"],
  "a port too large": [line("TCP4 192.0.2.7 10.0.0.1 65536 80"), "not `PROXY TCP4"],
  "a port that is no number": [line("TCP4 192.0.2.7 10.0.0.1 5e3 80"), "not `PROXY TCP4"],
  "no ports": [line("TCP4 192.0.2.7 10.0.0.1"), "not `PROXY TCP4"],
  "one port": [line("TCP4 192.0.2.7 10.0.0.1 5000"), "not `PROXY TCP4"],
  "three ports": [line("TCP4 192.0.2.7 10.0.0.1 5000 80 80"), "not `PROXY TCP4"],
  "version 1 within version 2": [v2(0x11, V4, { command: 0x11 }), "unknown version or command"],
  "version 3": [v2(0x11, V4, { command: 0x31 }), "unknown version or command"],
  "an unknown command": [v2(0x11, V4, { command: 0x22 }), "unknown version or command"],
  "version 2 that says it is too long": [v2(0x11, V4, { length: 1_025 }), "too long"],
  "an IPv4 address too short": [v2(0x11, V4.slice(0, 11)), "address too short"],
  "an IPv6 address too short": [v2(0x21, DOCUMENTED.slice(0, 35)), "address too short"],
};

for (const family of [0x40, 0x41, 0xf1, 0x13, 0x03, 0x3f, 0xff]) {
  refused[`version 2, family and protocol ${family}`] = [
    v2(family, V4),
    "unknown address family or protocol",
  ];
}

for (const [what, [bytes, why]] of Object.entries(refused)) {
  Deno.test(`parseProxyHeader() refuses ${what}`, () => {
    assertThrows(() => parseProxyHeader(bytes, 0, bytes.length), Http1Error, why);
  });
}
