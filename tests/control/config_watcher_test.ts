import { assertEquals } from "@std/assert";
import { FifoError, isFifo } from "../../src/config/file.ts";
import { systemClock } from "../../src/control/clock.ts";
import { ConfigWatcher } from "../../src/control/config_watcher.ts";
import { identifyFile } from "../../src/control/file_watch.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/until.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

/** A file whose text and looks a test scripts. */
class ScriptedFile {
  readonly clock = new VirtualClock();
  text: string | null = "a";
  /** Why it cannot be read while it has no text. */
  failure = new Error("gone");
  changes = 0;
  onRead = () => {};
  #writes = 0;

  /** A watch whose first look is over. @param text what was read at the start */
  async watch(text = this.text): Promise<ConfigWatcher> {
    const watcher = new ConfigWatcher("/etc/weir/weir.yaml", text, {
      clock: this.clock,
      readTextFile: async () => {
        this.onRead();
        if (this.text === null) throw this.failure;
        return this.text;
      },
      identify: (path) => Promise.resolve(`${path} ${this.#writes}`),
      isFifo: () => Promise.resolve(this.text === null && this.failure instanceof FifoError),
    }, () => this.changes++);
    await this.clock.advance(100);
    return watcher;
  }

  /** Somebody has written the file, and the watch sees it. */
  async notice(): Promise<void> {
    this.#writes++;
    await this.clock.advance(this.clock.due - this.clock.now());
  }
}

Deno.test("ConfigWatcher tells a change once its writer has settled", async () => {
  const file = new ScriptedFile();
  const watcher = await file.watch();
  file.text = "";
  await file.notice();
  await file.clock.advance(99);
  file.text = "b";
  await file.notice();
  await file.clock.advance(99);
  assertEquals(file.changes, 0);
  await file.clock.advance(1);
  assertEquals(file.changes, 1);
  await watcher.close();
});

Deno.test("ConfigWatcher tells nothing when the text is the same", async () => {
  const file = new ScriptedFile();
  const watcher = await file.watch();
  await file.notice();
  await file.clock.advance(30_000);
  assertEquals(file.changes, 0);
  await watcher.close();
});

Deno.test("ConfigWatcher finds by its poll what it does not see", async () => {
  const file = new ScriptedFile();
  const watcher = await file.watch();
  file.text = "b";
  await file.clock.advance(10_000);
  assertEquals(file.changes, 1);
  await watcher.close();
});

Deno.test("ConfigWatcher tells that the file is gone, and that it is back, once each", async () => {
  const file = new ScriptedFile();
  const watcher = await file.watch();
  file.text = null;
  await file.clock.advance(30_000);
  assertEquals(file.changes, 1);
  file.text = "a";
  await file.clock.advance(30_000);
  assertEquals(file.changes, 2);
  await watcher.close();
});

Deno.test("ConfigWatcher tells that the file is back at what it was, where a reload has read it in between", async () => {
  for (const between of ["b", null]) {
    const file = new ScriptedFile();
    const watcher = await file.watch();
    file.text = between;
    assertEquals(await watcher.read().catch(() => null), between);
    file.text = "a";
    await file.notice();
    await file.clock.advance(100);
    assertEquals(file.changes, 1);
    await watcher.close();
  }
});

Deno.test("ConfigWatcher does not tell what a reload has read already", async () => {
  const file = new ScriptedFile();
  const watcher = await file.watch();
  file.text = "b";
  assertEquals(await watcher.read(), "b");
  await file.notice();
  await file.clock.advance(30_000);
  assertEquals(file.changes, 0);
  await watcher.close();
});

Deno.test("ConfigWatcher tells nothing after it was closed", async () => {
  const file = new ScriptedFile();
  const watcher = await file.watch();
  file.text = "b";
  await file.notice();
  await watcher.close();
  await file.clock.advance(60_000);
  assertEquals([file.changes, file.clock.waiting], [0, 0]);
});

Deno.test("ConfigWatcher tells nothing of a file that it reads as it is closed", async () => {
  const file = new ScriptedFile();
  const watcher = await file.watch();
  let closed: Promise<void> | undefined;
  file.onRead = () => closed ??= watcher.close();
  file.text = "b";
  await file.clock.advance(10_000);
  await closed;
  assertEquals([file.changes, closed === undefined], [0, false]);
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
        identify: identifyFile,
        isFifo,
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

Deno.test("ConfigWatcher takes a want of descriptors for no change, and looks again", async () => {
  const file = new ScriptedFile();
  const watcher = await file.watch();
  Object.assign(file, { text: null, failure: new Error("Too many open files (os error 24)") });
  await file.clock.advance(30_000);
  assertEquals(file.changes, 0);
  file.text = "b";
  await file.clock.advance(10_000);
  assertEquals(file.changes, 1);
  await watcher.close();
});

Deno.test("ConfigWatcher tells nothing of a FIFO that the configuration came out of, but of a file in its place", async () => {
  const file = new ScriptedFile();
  Object.assign(file, { text: null, failure: new FifoError() });
  const watcher = await file.watch("a");
  await file.clock.advance(30_000);
  assertEquals(file.changes, 0);
  file.text = "b";
  await file.notice();
  await file.clock.advance(100);
  assertEquals(file.changes, 1);
  file.text = null;
  await file.notice();
  await file.clock.advance(30_000);
  assertEquals(file.changes, 2, "a FIFO in the place of a file");
  await watcher.close();
});

Deno.test("ConfigWatcher tells of a FIFO that has come before its first look", async () => {
  const file = new ScriptedFile();
  const watching = file.watch();
  Object.assign(file, { text: null, failure: new FifoError() });
  const watcher = await watching;
  await file.clock.advance(30_000);
  assertEquals(file.changes, 1);
  await watcher.close();
});

Deno.test("ConfigWatcher tells again of a text that was read and not judged", async () => {
  const file = new ScriptedFile();
  const watcher = await file.watch();
  file.text = "b";
  await file.clock.advance(10_000);
  await watcher.read();
  watcher.forget();
  assertEquals(file.changes, 1);
  await file.clock.advance(10_000);
  assertEquals(file.changes, 2);
  await watcher.read();
  await file.clock.advance(30_000);
  assertEquals(file.changes, 2);
  await watcher.close();
});
