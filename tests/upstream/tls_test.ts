import { assertEquals } from "@std/assert";
import { isClientRefused, isSameTls, serverNameOf, tlsCause } from "../../src/upstream/tls.ts";

Deno.test("serverNameOf() is the name that the operator wrote, whatever address it was resolved to", () => {
  const table: [string, string, string | undefined, string][] = [
    ["10.0.0.7", "origin.example.org", undefined, "origin.example.org"],
    ["10.0.0.7", "origin.example.org:8443", undefined, "origin.example.org"],
    ["10.0.0.7", "10.0.0.7:8443", undefined, "10.0.0.7"],
    ["::1", "[::1]:8443", undefined, "::1"],
    ["10.0.0.7", "10.0.0.7:8443", "origin.example.org", "origin.example.org"],
  ];
  for (const [host, authority, serverName, expected] of table) {
    const tls = { caCerts: [], ...(serverName === undefined ? {} : { serverName }) };
    assertEquals(serverNameOf({ host, port: 8443, authority }, tls), expected);
  }
});

Deno.test("isSameTls() compares what a connection is made by", () => {
  const tls = { caCerts: ["a", "b"], serverName: "a.test", cert: "c", key: "k" };
  assertEquals(isSameTls(tls, { ...tls, caCerts: ["a", "b"] }), true);
  for (const other of [{ caCerts: ["a"] }, { serverName: "b.test" }, { cert: "d" }, { key: "l" }]) {
    assertEquals(isSameTls(tls, { ...tls, ...other }), false);
  }
});

Deno.test("tlsCause() puts what TLS says into words for operators", () => {
  const table: [string, string][] = [
    [
      "invalid peer certificate: certificate expired: verification time 1800000000 (UNIX)",
      "certificate expired",
    ],
    [
      "invalid peer certificate: certificate not valid yet: verification time 1",
      "certificate is not valid yet",
    ],
    ["invalid peer certificate: NotValidForName", "certificate is for another name"],
    [
      'invalid peer certificate: certificate not valid for name "a.test"; certificate is only valid for DnsName("b.test")',
      "certificate is for another name than a.test: b.test",
    ],
    [
      'certificate not valid for name "10.0.0.1"; certificate is only valid for DnsName("*.a.test"), IpAddress(10.0.0.2), IpAddress(0::1), DnsName("b.test") or DnsName("c.test")',
      "certificate is for another name than 10.0.0.1: *.a.test, 10.0.0.2, 0::1, and 2 more",
    ],
    [
      `certificate not valid for name "a.test"; certificate is only valid for DnsName("${
        "b".repeat(9_999)
      }")`,
      `certificate is for another name than a.test: ${"b".repeat(253)}`,
    ],
    [
      'certificate not valid for name "a.test"; certificate is only valid for UniformResourceIdentifier("spiffe://a/b")',
      "certificate is for another name than a.test",
    ],
    [
      'certificate not valid for name "a.test"; certificate is not valid for any names (according to its subjectAltName extension)',
      "certificate has no subjectAltName, and a common name does not count",
    ],
    ["invalid peer certificate: UnknownIssuer", "certificate of an unknown authority"],
    [
      "invalid peer certificate: Other(OtherError(UnsupportedCertVersion))",
      "certificate is of X.509 version 1, not 3",
    ],
    [
      "invalid peer certificate: UnsupportedSignatureAlgorithmContext { signature_algorithm_id: [6, 7] }",
      "certificate, or one of its chain, is signed with an algorithm that is not accepted",
    ],
    [
      "invalid peer certificate: BadSignature",
      "certificate is not signed as it says, or its RSA key has less than 2048 bits",
    ],
    [
      "invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))",
      "certificate is an authority's own, not a server's",
    ],
    ["received corrupt message of type InvalidContentType", "the endpoint does not speak TLS"],
    ["received fatal alert: CertificateRequired", "the endpoint asks for a client certificate"],
    ["received fatal alert: UnknownCA", "the endpoint refuses the client certificate"],
    ["received fatal alert: BadCertificate", "the endpoint refuses the client certificate"],
    ["received fatal alert: UnrecognisedName", "the endpoint does not know the name"],
    ["received fatal alert: ProtocolVersion", "the endpoint speaks neither TLS 1.3 nor 1.2"],
    ["received fatal alert: NoApplicationProtocol", "the endpoint does not speak HTTP/1.1"],
    [
      "received fatal alert: HandshakeFailure",
      "the endpoint shares no cipher, or (TLS 1.2) misses a client certificate",
    ],
    ["tls handshake eof: unexpected eof", "the endpoint closed during the handshake"],
    ["something new", "something new"],
  ];
  for (const [text, cause] of table) assertEquals(tlsCause(new Error(text)), cause);
});

Deno.test("isClientRefused() is true of alerts about the client's certificate and of nothing else", () => {
  const { InvalidData, ConnectionReset } = Deno.errors;
  assertEquals(isClientRefused(new InvalidData("received fatal alert: CertificateRequired")), true);
  assertEquals(isClientRefused(new InvalidData("received fatal alert: UnknownCA")), true);
  assertEquals(isClientRefused(new InvalidData("received fatal alert: BadRecordMac")), false);
  assertEquals(isClientRefused(new ConnectionReset("received fatal alert: UnknownCA")), false);
});
