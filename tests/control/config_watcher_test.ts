import { assertEquals } from "@std/assert";
import { systemClock } from "../../src/control/clock.ts";
import { ConfigWatcher } from "../../src/control/config_watcher.ts";
import { type DirectoryEvents, watchDirectories } from "../../src/control/file_watch.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/until.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

/** A folder whose one file and notices a test scripts. */
class ScriptedFolder {
  readonly clock = new VirtualClock();
  text: string | null = "a";
  changes = 0;
  #notify: (() => void) | null = null;
  #lose: ((error: Error) => void) | null = null;
  #closed = false;

  watch(): ConfigWatcher {
    return new ConfigWatcher("/etc/weir/weir.yaml", this.text, {
      clock: this.clock,
      readTextFile: async () => {
        if (this.text === null) throw new Error("gone");
        return this.text;
      },
      watchDirectories: (directories) => {
        assertEquals(directories, ["/etc/weir/"]);
        return this.notices();
      },
    }, () => this.changes++);
  }

  async notice(): Promise<void> {
    this.#notify?.();
    await this.clock.advance(0);
  }

  /** The system gives up watching. */
  async lose(): Promise<void> {
    this.#lose?.(new Error("inotify: too many events"));
    await this.clock.advance(0);
  }

  private notices(): DirectoryEvents {
    const folder = {
      close: () => {
        this.#closed = true;
        this.#notify?.();
      },
      isCurrent: () => true,
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          await new Promise<void>((resolve, reject) => {
            this.#notify = resolve;
            this.#lose = reject;
          });
          return { done: this.#closed, value: null } as IteratorResult<null>;
        },
      }),
    };
    return folder;
  }
}

Deno.test("ConfigWatcher tells a change once its writer has settled", async () => {
  const folder = new ScriptedFolder();
  const watcher = folder.watch();
  folder.text = "";
  await folder.notice();
  await folder.clock.advance(99);
  folder.text = "b";
  await folder.notice();
  await folder.clock.advance(99);
  assertEquals(folder.changes, 0);
  await folder.clock.advance(1);
  assertEquals(folder.changes, 1);
  await watcher.close();
});

Deno.test("ConfigWatcher tells nothing when the text is the same", async () => {
  const folder = new ScriptedFolder();
  const watcher = folder.watch();
  await folder.notice();
  await folder.clock.advance(30_000);
  assertEquals(folder.changes, 0);
  await watcher.close();
});

Deno.test("ConfigWatcher finds by its poll what no notice came for", async () => {
  const folder = new ScriptedFolder();
  const watcher = folder.watch();
  folder.text = "b";
  await folder.clock.advance(10_000);
  assertEquals(folder.changes, 1);
  await watcher.close();
});

Deno.test("ConfigWatcher watches again at its next poll when the watch is lost", async () => {
  const folder = new ScriptedFolder();
  const watcher = folder.watch();
  await folder.lose();
  folder.text = "b";
  await folder.clock.advance(10_000);
  assertEquals(folder.changes, 1);
  folder.text = "c";
  await folder.notice();
  await folder.clock.advance(100);
  assertEquals(folder.changes, 2);
  await watcher.close();
});

Deno.test("ConfigWatcher tells that the file is gone, and that it is back, once each", async () => {
  const folder = new ScriptedFolder();
  const watcher = folder.watch();
  folder.text = null;
  await folder.clock.advance(30_000);
  assertEquals(folder.changes, 1);
  folder.text = "a";
  await folder.clock.advance(30_000);
  assertEquals(folder.changes, 2);
  await watcher.close();
});

Deno.test("ConfigWatcher tells that the file is back at what it was, where a reload has read it in between", async () => {
  for (const between of ["b", null]) {
    const folder = new ScriptedFolder();
    const watcher = folder.watch();
    folder.text = between;
    assertEquals(await watcher.read().catch(() => null), between);
    folder.text = "a";
    await folder.notice();
    await folder.clock.advance(100);
    assertEquals(folder.changes, 1);
    await watcher.close();
  }
});

Deno.test("ConfigWatcher does not tell what a reload has read already", async () => {
  const folder = new ScriptedFolder();
  const watcher = folder.watch();
  folder.text = "b";
  assertEquals(await watcher.read(), "b");
  await folder.notice();
  await folder.clock.advance(30_000);
  assertEquals(folder.changes, 0);
  await watcher.close();
});

Deno.test("ConfigWatcher tells nothing after it was closed", async () => {
  const folder = new ScriptedFolder();
  const watcher = folder.watch();
  folder.text = "b";
  await folder.notice();
  await watcher.close();
  await folder.clock.advance(60_000);
  assertEquals([folder.changes, folder.clock.waiting], [0, 0]);
});

/** How a file changes in real life; `n` makes each text another one. */
const writers: Record<string, (folder: string, n: number) => Promise<void>> = {
  "written in place": (folder, n) => Deno.writeTextFile(`${folder}/weir.yaml`, `${n}`),
  "replaced by rename": async (folder, n) => {
    await Deno.writeTextFile(`${folder}/weir.yaml.new`, `${n}`);
    await Deno.rename(`${folder}/weir.yaml.new`, `${folder}/weir.yaml`);
  },
  "swapped as a ConfigMap mount": async (folder, n) => {
    await Deno.mkdir(`${folder}/..${n}`);
    await Deno.writeTextFile(`${folder}/..${n}/weir.yaml`, `${n}`);
    await Deno.symlink(`..${n}`, `${folder}/..data_tmp`);
    await Deno.rename(`${folder}/..data_tmp`, `${folder}/..data`);
    await Deno.symlink("..data/weir.yaml", `${folder}/weir.yaml`).catch(() => {});
  },
};

for (const [how, write] of Object.entries(writers)) {
  Deno.test({
    name: `ConfigWatcher follows a file that is ${how}, again and again`,
    sanitizeOps: true,
    sanitizeResources: true,
    fn: async () => {
      await using temporary = await TemporaryFolder.make();
      const folder = temporary.path;
      await write(folder, 0);
      let told = false;
      const watcher = new ConfigWatcher(`${folder}/weir.yaml`, "0", {
        clock: systemClock,
        readTextFile: Deno.readTextFile,
        watchDirectories,
      }, () => told = true);
      for (let n = 1; n <= 3; n++) {
        told = false;
        await write(folder, n);
        // Before the poll. A writer that is slow is read half way, and told of twice.
        await until(`change ${n} is told`, () => told, 5_000);
      }
      await watcher.close();
    },
  });
}
