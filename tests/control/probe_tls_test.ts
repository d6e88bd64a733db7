import { assertEquals } from "@std/assert";
import { probe, type ProbeSettings, type ProbeTarget } from "../../src/control/probe.ts";
import { needs, requireTool } from "../support/tools.ts";

const options = { sanitizeOps: true, sanitizeResources: true, ...needs("openssl") };
const never = new AbortController().signal;

/** Certificates made for one test by openssl. Days below 0 make one that has expired. */
class Authority implements AsyncDisposable {
  private constructor(private readonly directory: string, readonly cert: string) {}

  static async create(): Promise<Authority> {
    const directory = await Deno.makeTempDir();
    const ca = [
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-keyout",
      "ca.key",
      "-out",
      "ca.pem",
      "-subj",
      "/CN=Test CA",
    ];
    await openssl(directory, ["req", "-x509", ...ca]);
    return new Authority(directory, await Deno.readTextFile(`${directory}/ca.pem`));
  }

  async issue(name: string, days: number): Promise<{ cert: string; key: string }> {
    const at = (file: string) => `${this.directory}/${file}`;
    await Deno.writeTextFile(at("extensions"), `subjectAltName=DNS:${name}\nbasicConstraints=CA:FALSE\n`);
    const request = [
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-keyout",
      "leaf.key",
      "-out",
      "leaf.csr",
      "-subj",
      "/CN=leaf",
    ];
    await openssl(this.directory, ["req", ...request]);
    const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "extensions"];
    const leaf = ["-in", "leaf.csr", "-out", "leaf.pem", "-days", String(days)];
    await openssl(this.directory, ["x509", "-req", ...leaf, ...signing]);
    return { cert: await Deno.readTextFile(at("leaf.pem")), key: await Deno.readTextFile(at("leaf.key")) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }
}

async function openssl(cwd: string, args: string[]): Promise<void> {
  const command = new Deno.Command(requireTool("openssl"), { args, cwd, stdout: "null", stderr: "piped" });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(`openssl ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** A TLS server that answers every request, for as long as it is not disposed of. */
class SecureOrigin implements AsyncDisposable {
  private readonly listener: Deno.TlsListener;
  private readonly serving: Promise<void>;

  constructor(identity: { cert: string; key: string }) {
    this.listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...identity });
    this.serving = this.serve();
  }

  get port(): number {
    return (this.listener.addr as Deno.NetAddr).port;
  }

  private async serve(): Promise<void> {
    while (true) {
      const conn = await this.listener.accept().catch(() => null);
      if (conn === null) return;
      try {
        await conn.read(new Uint8Array(4_096));
        await conn.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
      } catch {
        // The prober did not like the certificate.
      }
      conn.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.listener.close();
    await this.serving;
  }
}

function secure(port: number, name: string): ProbeTarget {
  return { scheme: "https", host: "127.0.0.1", port, authority: `${name}:${port}` };
}

Deno.test({
  name: "probe() of an https endpoint says what is wrong with its certificate",
  ...options,
  fn: async () => {
    await using authority = await Authority.create();
    const trusted = [authority.cert];
    const table: { days: number; name: string; serverName?: string; caCerts: string[]; reason: string }[] = [
      { days: 2, name: "app.test", caCerts: trusted, reason: "status 200" },
      { days: 2, name: "other.test", serverName: "app.test", caCerts: trusted, reason: "status 200" },
      { days: 2, name: "other.test", caCerts: trusted, reason: "certificate is for another name" },
      { days: 2, name: "app.test", caCerts: [], reason: "certificate of an unknown authority" },
      { days: -1, name: "app.test", caCerts: trusted, reason: "certificate expired" },
    ];
    for (const { days, name, serverName, caCerts, reason } of table) {
      await using origin = new SecureOrigin(await authority.issue("app.test", days));
      const tls = serverName === undefined ? { caCerts } : { caCerts, serverName };
      const settings: ProbeSettings = { kind: "http", path: "/", expect: ["200"], tls };
      const passed = reason === "status 200";
      assertEquals(await probe(secure(origin.port, name), settings, never), { passed, reason });
      const tcp = await probe(secure(origin.port, name), { ...settings, kind: "tcp" }, never);
      assertEquals(
        tcp,
        { passed, reason: passed ? "connected" : reason },
        "TCP checks make the handshake, too",
      );
    }
  },
});

Deno.test("probe() of an https endpoint says that it does not speak TLS", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answered = listener.accept().then(async (conn) => {
    await conn.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
    // Until the prober has gone: closing at once could overtake the answer.
    while (await conn.read(new Uint8Array(4_096)).catch(() => null) !== null);
    conn.close();
  });
  const port = (listener.addr as Deno.NetAddr).port;
  const settings: ProbeSettings = { kind: "tcp", path: "/", expect: ["200"], tls: { caCerts: [] } };
  const outcome = await probe(secure(port, "app.test"), settings, never);
  assertEquals(outcome, { passed: false, reason: "the endpoint does not speak TLS" });
  await answered;
  listener.close();
});
