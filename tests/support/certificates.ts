// Certificates made for one test by openssl, in a directory that Weir may read (`tmp/` in the repository).
//
//   await using authority = await Authority.create();
//   const files = await authority.install("site", await authority.issue({ names: ["app.test"] }));

import { READABLE, TemporaryFolder } from "./temporary_folder.ts";
import { requireTool } from "./tools.ts";

/** A certificate and its key, as PEM text. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

export interface IdentityOptions {
  /** Default: `app.test`, `localhost` and 127.0.0.1. */
  readonly names?: readonly string[];
  /** Below 0 it has expired. */
  readonly days?: number;
  /** Of the key; default P-256. */
  readonly curve?: string;
}

export class Authority implements AsyncDisposable {
  #issued = 0;

  private constructor(private readonly folder: TemporaryFolder, readonly cert: string) {}

  get directory(): string {
    return this.folder.path;
  }

  static async create(): Promise<Authority> {
    const folder = await TemporaryFolder.make(READABLE);
    const subject = ["-x509", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA", "-days", "2"];
    await openssl(folder.path, ["req", ...newKey(CURVE), ...subject]);
    return new Authority(folder, await Deno.readTextFile(folder.at("ca.pem")));
  }

  /** Path of the authority's own certificate. */
  get caFile(): string {
    return this.folder.at("ca.pem");
  }

  async issue(
    { names = ["app.test", "localhost", "127.0.0.1"], days = 2, curve = CURVE }: IdentityOptions = {},
  ) {
    const name = `leaf${++this.#issued}`;
    const at = (ending: string) => this.folder.at(`${name}.${ending}`);
    const alternatives = names.map((each) => (/^[\d.]+$/.test(each) ? `IP:${each}` : `DNS:${each}`)).join(
      ",",
    );
    await Deno.writeTextFile(at("ext"), `subjectAltName=${alternatives}\nbasicConstraints=CA:FALSE\n`);
    const request = ["-keyout", at("key"), "-out", at("csr"), "-subj", `/CN=${name}`];
    await openssl(this.directory, ["req", ...newKey(curve), ...request]);
    const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", at("ext")];
    const leaf = ["-in", at("csr"), "-out", at("pem"), "-days", String(days)];
    await openssl(this.directory, ["x509", "-req", ...leaf, ...signing]);
    const identity: Identity = {
      cert: await Deno.readTextFile(at("pem")),
      key: await Deno.readTextFile(at("key")),
    };
    return identity;
  }

  /** Writes an identity into files, each by a rename, the key first. */
  async install(name: string, { cert, key }: Identity): Promise<{ certFile: string; keyFile: string }> {
    const [certFile, keyFile] = [this.folder.at(`${name}.crt`), this.folder.at(`${name}.key.pem`)];
    for (const [path, text] of [[keyFile, key], [certFile, cert]] as const) {
      await Deno.writeTextFile(`${path}.new`, text);
      await Deno.rename(`${path}.new`, path);
    }
    return { certFile, keyFile };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }
}

const CURVE = "P-256";

function newKey(curve: string): string[] {
  return ["-newkey", "ec", "-pkeyopt", `ec_paramgen_curve:${curve}`, "-nodes"];
}

async function openssl(cwd: string, args: readonly string[]): Promise<void> {
  const command = new Deno.Command(requireTool("openssl"), {
    args: [...args],
    cwd,
    stdout: "null",
    stderr: "piped",
  });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(`openssl ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
