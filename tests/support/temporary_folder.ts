// A folder for one test. What a run that was killed has left behind is removed by the next one.
//
//   await using folder = await TemporaryFolder.make();
//   const path = await folder.write("weir.yaml", "accessLog: off\n");

const SYSTEM = "/tmp";

/** Below the repository, where the `start` and `weir` tasks may read. */
export const READABLE = new URL("../../tmp", import.meta.url).pathname;

/** Whose process ids ours are: a container that shares a folder with others has its own, and knows nothing of theirs. */
const NAMESPACE = namespaceOfProcesses();

/** Parents in which nothing is left of processes that are no more. */
const swept = new Set<string>();

export class TemporaryFolder implements AsyncDisposable {
  #removal: Promise<void> | null = null;

  private constructor(readonly path: string) {}

  static async make(parent = SYSTEM): Promise<TemporaryFolder> {
    await Deno.mkdir(parent, { recursive: true });
    if (!swept.has(parent)) await sweep(parent);
    swept.add(parent);
    const prefix = `weir-test-${NAMESPACE}-${Deno.pid}-`;
    return new TemporaryFolder(await Deno.makeTempDir({ dir: parent, prefix }));
  }

  at(name: string): string {
    return `${this.path}/${name}`;
  }

  /** @returns the file's path */
  async write(name: string, content: string): Promise<string> {
    await Deno.writeTextFile(this.at(name), content);
    return this.at(name);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#removal ??= Deno.remove(this.path, { recursive: true });
  }
}

async function sweep(parent: string): Promise<void> {
  for await (const { name } of Deno.readDir(parent)) {
    const [, namespace, maker] = /^weir-test-(\d+)-(\d+)-/.exec(name) ?? [];
    if (maker === undefined || namespace !== NAMESPACE || mayRun(maker)) continue;
    // It may be another user's, and another run may be removing the same.
    await Deno.remove(`${parent}/${name}`, { recursive: true }).catch(() => {});
  }
}

/** Whether a process may still be running: where /proc cannot be looked at, that is not known. */
function mayRun(pid: string): boolean {
  return exists(`/proc/${pid}`) || !exists("/proc/self");
}

/** A number; 0 where /proc cannot be looked at. */
function namespaceOfProcesses(): string {
  try {
    return Deno.readLinkSync("/proc/self/ns/pid").replaceAll(/\D/g, "");
  } catch {
    return "0";
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
