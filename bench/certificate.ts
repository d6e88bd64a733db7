// The certificate that every contestant shows in scenarios with TLS: P-256, self-signed, made for one run.

import type { Certificate } from "./contestants.ts";
import type { Processes } from "./processes.ts";

/** @throws when openssl does not make one, with what it wrote. */
export async function makeCertificate(processes: Processes, directory: string): Promise<Certificate> {
  const [certFile, keyFile, bothFile] = ["cert.pem", "key.pem", "both.pem"].map((name) =>
    `${directory}/${name}`
  );
  const files = { certFile: certFile!, keyFile: keyFile!, bothFile: bothFile! };
  const { success, stderr } = await processes.run([
    ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
    ...["-keyout", files.keyFile, "-out", files.certFile, "-days", "2", "-subj", "/CN=127.0.0.1"],
    ...["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"],
  ]);
  if (!success) throw new Error(`openssl makes no certificate: ${stderr.trim()}`);
  const both = await Deno.readTextFile(files.certFile) + await Deno.readTextFile(files.keyFile);
  await Deno.writeTextFile(files.bothFile, both);
  return files;
}
