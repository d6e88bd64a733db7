import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { CertificateError, readCertificate } from "../../src/control/certificate.ts";
import { Authority } from "../support/certificates.ts";
import { needs } from "../support/tools.ts";

const options = { sanitizeOps: true, sanitizeResources: true, ...needs("openssl") };

Deno.test({
  name: "readCertificate() tells names, issuer and expiry of a pair",
  ...options,
  fn: async () => {
    await using authority = await Authority.create();
    const facts = readCertificate(await authority.issue({ names: ["a.test", "*.b.test", "10.0.0.1"] }));
    assertEquals(facts.names, ["a.test", "*.b.test", "10.0.0.1"]);
    assertEquals(facts.issuer, "Test CA");
    assertAlmostEquals(facts.notAfter, Date.now() + 2 * 86_400_000, 3_600_000);
    assertEquals(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/.test(facts.fingerprint), true);
  },
});

Deno.test({
  name: "readCertificate() finds a key among certificates and other blocks",
  ...options,
  fn: async () => {
    await using authority = await Authority.create();
    const { cert, key } = await authority.issue();
    const parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    const { fingerprint } = readCertificate({ cert, key });
    for (const file of [cert + key, key + cert, cert + parameters + key + authority.cert]) {
      assertEquals(readCertificate({ cert: file, key: file }).fingerprint, fingerprint);
    }
  },
});

/** As it stands in a file that is being written. */
function halfOf(pem: string): string {
  return pem.substring(0, pem.length / 2);
}

Deno.test({
  name: "readCertificate() says what is wrong with a pair",
  ...options,
  fn: async () => {
    await using authority = await Authority.create();
    const { cert, key } = await authority.issue();
    const other = await authority.issue();
    const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    const brokenKey = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    const encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    const table: [string, string, string][] = [
      ["", key, "the certificate file holds no PEM certificate"],
      [key, key, "the certificate file holds no PEM certificate"],
      [broken, key, "certificate 1 of the file cannot be read"],
      [cert + broken, key, "certificate 2 of the file cannot be read"],
      [cert + halfOf(authority.cert), key, "certificate 2 of the file cannot be read"],
      [cert, "", "the key file holds no PEM private key"],
      [cert, cert, "the key file holds no PEM private key"],
      [cert, brokenKey, "the key cannot be read"],
      [cert, halfOf(key), "the key cannot be read"],
      [cert, encrypted, "the key is encrypted: Weir has no passphrase for it"],
      [cert, other.key, "the key does not belong to the certificate"],
      [
        authority.cert + cert,
        key,
        "the server's certificate must come first: the key belongs to certificate 2 of the file",
      ],
    ];
    for (const [wrongCert, wrongKey, message] of table) {
      assertThrows(() => readCertificate({ cert: wrongCert, key: wrongKey }), CertificateError, message);
    }
  },
});
