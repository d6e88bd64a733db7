import { assertEquals } from "@std/assert";
import { systemClock } from "../../src/control/clock.ts";
import {
  directoriesOf,
  type DirectoryEvents,
  FileWatch,
  watchDirectories,
} from "../../src/control/file_watch.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const strict = { sanitizeOps: true, sanitizeResources: true };
/** Longer than any test: what is heard was heard by the watch. */
const NO_POLL_MS = 3_600_000;

Deno.test("directoriesOf() names each directory once", () => {
  assertEquals(directoriesOf(["/etc/weir/a", "/etc/weir/b", "c", "./d/e"]), ["/etc/weir/", ".", "./d/"]);
});

async function heard(folder: TemporaryFolder, files: readonly string[], acts: (() => Promise<void>)[]) {
  let changed = () => {};
  const watch = new FileWatch({
    files: files.map((file) => folder.at(file)),
    clock: systemClock,
    watchDirectories,
    onMaybeChanged: () => changed(),
    quietMs: 10,
    pollMs: NO_POLL_MS,
  });
  watch.start();
  try {
    for (const act of acts) {
      const noticed = new Promise<void>((resolve) => changed = resolve);
      await act();
      await noticed;
    }
  } finally {
    await watch.stop();
  }
}

Deno.test({
  name: "FileWatch hears of a Secret mount each time that Kubernetes swaps it",
  ...strict,
  fn: async () => {
    await using folder = await TemporaryFolder.make();
    const fill = async (version: string) => {
      await Deno.mkdir(folder.at(version));
      await Deno.writeTextFile(folder.at(`${version}/tls.crt`), version);
      await Deno.symlink(version, folder.at("..data_tmp"));
      await Deno.rename(folder.at("..data_tmp"), folder.at("..data"));
    };
    await fill("..2026_1");
    await Deno.symlink("..data/tls.crt", folder.at("tls.crt"));
    await heard(folder, ["tls.crt"], [() => fill("..2026_2"), () => fill("..2026_3")]);
  },
});

Deno.test({
  name: "FileWatch hears of a file each time that another is renamed over it",
  ...strict,
  fn: async () => {
    await using folder = await TemporaryFolder.make();
    const replace = async () => {
      await Deno.writeTextFile(folder.at("new"), "x");
      await Deno.rename(folder.at("new"), folder.at("tls.key"));
    };
    await replace();
    await heard(folder, ["tls.key"], [replace, replace]);
  },
});

Deno.test({
  name: "FileWatch hears of a directory each time that it is replaced as a whole, and of its files then",
  ...strict,
  fn: async () => {
    await using folder = await TemporaryFolder.make();
    let count = 0;
    const replace = async () => {
      await Deno.mkdir(folder.at("next"));
      // In one turn, so that nobody looks while there is none.
      Deno.renameSync(folder.at("conf"), folder.at(`before${++count}`));
      Deno.renameSync(folder.at("next"), folder.at("conf"));
    };
    await Deno.mkdir(folder.at("conf"));
    const remove = () => Deno.remove(folder.at("conf"));
    await heard(folder, ["conf/weir.yaml"], [replace, replace, replace, remove]);
  },
});

/** A directory that a test replaces; each watch hears of the one that it was made for. */
class ReplacedDirectory {
  readonly clock = new VirtualClock();
  current = 1;
  looks = 0;
  onClose = () => {};
  readonly watched: number[] = [];
  readonly closed: number[] = [];
  readonly #notify = new Map<number, (ended: boolean) => void>();

  watch(): FileWatch {
    const watch = new FileWatch({
      files: ["/etc/weir/weir.yaml"],
      clock: this.clock,
      watchDirectories: () => this.events(this.current),
      onMaybeChanged: () => this.looks++,
      quietMs: 100,
      pollMs: 10_000,
    });
    watch.start();
    return watch;
  }

  async notice(number: number): Promise<void> {
    this.#notify.get(number)?.(false);
    await this.clock.advance(100);
  }

  private events(number: number): DirectoryEvents {
    this.watched.push(number);
    return {
      isCurrent: () => this.current === number,
      close: () => {
        this.closed.push(number);
        this.onClose();
        this.#notify.get(number)?.(true);
      },
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          const done = await new Promise<boolean>((resolve) => this.#notify.set(number, resolve));
          return { done, value: null } as IteratorResult<null>;
        },
      }),
    };
  }
}

Deno.test("FileWatch watches anew what a directory's name stands for, once it was replaced as a whole", async () => {
  const directory = new ReplacedDirectory();
  const watch = directory.watch();
  await directory.notice(1);
  assertEquals([directory.watched, directory.looks], [[1], 1]);
  // The system says that the one that is watched has gone.
  directory.current = 2;
  await directory.notice(1);
  assertEquals([directory.watched, directory.closed, directory.looks], [[1, 2], [1], 2]);
  await directory.notice(2);
  assertEquals(directory.looks, 3);
  // It says nothing where a link leads elsewhere; the poll sees it.
  directory.current = 3;
  await directory.clock.advance(10_000);
  assertEquals([directory.watched, directory.closed], [[1, 2, 3], [1, 2]]);
  const { looks } = directory;
  await directory.notice(3);
  assertEquals(directory.looks, looks + 1);
  await watch.stop();
  assertEquals([directory.closed, directory.clock.waiting], [[1, 2, 3], 0]);
});

Deno.test("FileWatch watches nothing anew and tells nothing once it is stopped, be it between two watches", async () => {
  const directory = new ReplacedDirectory();
  const watch = directory.watch();
  let stopped: Promise<void> | undefined;
  directory.onClose = () => stopped ??= watch.stop();
  directory.current = 2;
  await directory.notice(1);
  await stopped;
  assertEquals(directory.watched, [1]);
  const { looks } = directory;
  await directory.notice(1);
  await directory.clock.advance(60_000);
  assertEquals([directory.looks, directory.watched, directory.clock.waiting], [looks, [1], 0]);
});

Deno.test({
  name: "watchDirectories() knows when a directory is another one",
  ...strict,
  fn: async () => {
    await using folder = await TemporaryFolder.make();
    const root = folder.path;
    await Deno.mkdir(`${root}/conf`);
    const events = watchDirectories([`${root}/`, `${root}/conf/`]);
    try {
      assertEquals(events.isCurrent(), true);
      await Deno.writeTextFile(`${root}/conf/weir.yaml`, "x");
      assertEquals(events.isCurrent(), true);
      await Deno.rename(`${root}/conf`, `${root}/old`);
      assertEquals(events.isCurrent(), false);
      await Deno.mkdir(`${root}/conf`);
      assertEquals(events.isCurrent(), false);
    } finally {
      events.close();
    }
  },
});
