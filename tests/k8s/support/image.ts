// Weir's container image, built by buildah from the Dockerfile and run as strictly as a cluster would.
//
// The base images are stand-ins made from this machine's own deno and libraries, so no image registry is
// needed: one without a shell to run on, one with a shell to build on. Containers are run by util-linux, as an
// OCI runtime wants cgroups of its own: own process and mount namespaces, a read-only root, the image's user,
// no capabilities, no new privileges; the network is the machine's.

import { TemporaryFolder } from "../../support/temporary_folder.ts";

const programs = ["buildah", "ldd", "mount", "setpriv", "unshare"];

/** Why the image cannot be built and run here; null when it can. */
export async function whyNoImages(): Promise<string | null> {
  if (Deno.build.os !== "linux") return "needs Linux";
  if (Deno.uid() !== 0) return "needs root, for mounts";
  for (const program of programs) {
    const found = await run("sh", ["-c", `command -v ${program}`]).then(() => true, () => false);
    if (!found) return `needs ${program}: apt-get install buildah util-linux libc-bin`;
  }
  const mounts = await run("unshare", ["--mount", "mount", "-t", "tmpfs", "none", "/mnt"]).then(
    () => true,
    () => false,
  );
  return mounts ? null : "needs the right to mount";
}

/** What the image says of itself. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: string[];
  readonly Cmd: string[];
  readonly Entrypoint: string[];
  readonly WorkingDir: string;
  readonly StopSignal: string;
  readonly Healthcheck: { readonly Test: string[] };
  readonly Labels: Record<string, string>;
}

export class Image implements AsyncDisposable {
  private constructor(
    private readonly folder: TemporaryFolder,
    readonly config: ImageConfig,
    /** Where the image's files are. */
    readonly root: string,
    /** What the image adds to its base. */
    readonly addedBytes: number,
  ) {}

  static async build(repository: string): Promise<Image> {
    const folder = await TemporaryFolder.make();
    const directory = folder.path;
    try {
      const buildah = (...args: string[]) => run("buildah", [...storage(directory), ...args]);
      for (const kind of ["run", "build"] as const) await standIn(directory, kind, buildah);
      const bases = ["RUN", "BUILD"].flatMap((kind) => [
        "--build-arg",
        `${kind}_IMAGE=localhost/stand-in-${kind.toLowerCase()}`,
      ]);
      await buildah(
        "bud",
        "--isolation=chroot",
        "--format=docker",
        "--layers=false",
        ...bases,
        "-t",
        "weir",
        repository,
      );
      const { Docker } = JSON.parse(await buildah("inspect", "--type=image", "weir"));
      const container = (await buildah("from", "--pull-never", "localhost/weir")).trim();
      const root = (await buildah("mount", container)).trim();
      const base = bytesIn(`${directory}/run`);
      return new Image(folder, Docker.config, root, bytesIn(root) - base);
    } catch (cause) {
      await folder[Symbol.asyncDispose]();
      throw cause;
    }
  }

  /** A container; `command` stands in for the image's own, `mounts` maps paths in it to directories here. */
  start(options: {
    readonly args?: readonly string[];
    readonly command?: readonly string[];
    readonly env?: Record<string, string>;
    readonly mounts?: Record<string, string>;
  }): Container {
    const { User, Env, Entrypoint, Cmd, WorkingDir } = this.config;
    const [uid, gid] = User.split(":");
    const [program = "", ...rest] = options.command ?? [...Entrypoint, ...(options.args ?? Cmd)];
    const binds = Object.entries(options.mounts ?? {}).map(([inside, outside]) => {
      Deno.mkdirSync(this.root + inside, { recursive: true });
      return `mount --bind -o ro '${outside}' '${this.root}${inside}'`;
    });
    const script = [
      "set -e",
      "mount --make-rprivate /",
      `mount --bind '${this.root}' '${this.root}'`,
      ...binds,
      `mount -t proc proc '${this.root}/proc'`,
      `mount -o remount,bind,ro '${this.root}'`,
      `exec setpriv --no-new-privs unshare --root='${this.root}' --wd='${WorkingDir}' ` +
      `--setgid=${gid} --setuid=${uid} -- "$@"`,
    ].join("\n");
    const env = Object.fromEntries(Env.map((pair) => pair.split(/=(.*)/s).slice(0, 2)));
    const child = new Deno.Command("/usr/bin/unshare", {
      args: [
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "/bin/sh",
        "-c",
        script,
        "sh",
        `/bin/${program}`,
        ...rest,
      ],
      env: { ...env, ...options.env, PATH: `${env.PATH}:/usr/sbin:/sbin` },
      clearEnv: true,
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new Container(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }
}

export class Container {
  readonly ended: Promise<{ readonly code: number; readonly output: string }>;

  constructor(private readonly child: Deno.ChildProcess) {
    this.ended = child.output().then(({ code, stdout, stderr }) => {
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      return { code, output: text(stdout) + text(stderr) };
    });
  }

  /** Process 1 of the container gets a signal, as from `docker stop` or the kubelet. */
  signal(signal: Deno.Signal): void {
    Deno.kill(this.pid, signal);
  }

  /** Lines of /proc/1/status that tell what it may do. */
  rights(): Record<string, string> {
    const lines = Deno.readTextFileSync(`/proc/${this.pid}/status`).split("\n");
    return Object.fromEntries(lines.map((line) => line.split(":").map((part) => part.trim())));
  }

  /** Process 1 of the container, as this machine knows it. */
  get pid(): number {
    for (const { name } of Deno.readDirSync("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      try {
        const status = Deno.readTextFileSync(`/proc/${name}/status`);
        if (new RegExp(`^PPid:\\s*${this.child.pid}$`, "m").test(status)) return Number(name);
      } catch {
        // It ended while we looked.
      }
    }
    throw new Error("the container has no process");
  }
}

const storage = (directory: string) => [
  `--root=${directory}/storage`,
  `--runroot=${directory}/runroot`,
  "--storage-driver=vfs",
];

/** A base image: deno and the libraries it needs; to build on, also a shell and certificates. */
async function standIn(
  directory: string,
  kind: "run" | "build",
  buildah: (...args: string[]) => Promise<string>,
): Promise<void> {
  const root = `${directory}/${kind}`;
  for (const folder of ["bin", "proc", "tmp", "dev", "sys", "etc/ssl/certs"]) {
    await Deno.mkdir(`${root}/${folder}`, { recursive: true });
  }
  // As in Debian's and distroless images.
  await Deno.mkdir(`${root}/run`, { recursive: true });
  await Deno.mkdir(`${root}/var`, { recursive: true });
  await Deno.symlink("../run", `${root}/var/run`);
  const shell = kind === "build" ? ["sh", "find", "mv", "rm", "chmod"] : [];
  for (const name of shell) {
    await addProgram(root, (await run("sh", ["-c", `command -v ${name}`])).trim(), name);
  }
  await addProgram(root, Deno.execPath(), "deno");
  const lines = ["FROM scratch", `COPY ${kind} /`, "ENV PATH=/usr/local/bin:/usr/bin:/bin"];
  if (kind === "build") {
    const certificates = "/etc/ssl/certs/ca-certificates.crt";
    await Deno.copyFile(certificates, root + certificates).then(
      () => lines.push(`ENV DENO_CERT=${certificates}`),
      () => {},
    );
  }
  const file = `${directory}/${kind}.Dockerfile`;
  await Deno.writeTextFile(file, lines.join("\n"));
  await buildah(
    "bud",
    "--isolation=chroot",
    "--layers=false",
    "-f",
    file,
    "-t",
    `localhost/stand-in-${kind}`,
    directory,
  );
}

async function addProgram(root: string, path: string, name: string): Promise<void> {
  await Deno.copyFile(path, `${root}/bin/${name}`);
  const libraries = (await run("ldd", [path])).matchAll(/(\/\S+) \(0x/g);
  for (const [, library = ""] of libraries) {
    await Deno.mkdir(root + library.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.copyFile(library, root + library);
  }
}

function bytesIn(path: string): number {
  let bytes = 0;
  for (const entry of Deno.readDirSync(path)) {
    const inner = `${path}/${entry.name}`;
    if (entry.isDirectory) bytes += bytesIn(inner);
    else if (entry.isFile) bytes += Deno.lstatSync(inner).size;
  }
  return bytes;
}

async function run(program: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${text(stderr).slice(-4_000)}`);
  return text(stdout);
}
