import { assertEquals, assertNotEquals } from "@std/assert";
import { systemClock } from "../../src/control/clock.ts";
import { FileWatch, identifyFile } from "../../src/control/file_watch.ts";
import { settled } from "../support/settled.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/until.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const strict = { sanitizeOps: true, sanitizeResources: true };
/** Longer than any test: what is told has been seen. */
const NO_POLL_MS = 3_600_000;

/** Acts in turn, each once the change before was told. */
async function told(folder: TemporaryFolder, file: string, acts: (() => Promise<void> | void)[]) {
  let times = 0;
  const watch = new FileWatch({
    files: [folder.at(file)],
    clock: systemClock,
    identify: identifyFile,
    onMaybeChanged: () => times++,
    quietMs: 10,
    pollMs: NO_POLL_MS,
  });
  const begin = () => watch.start();
  try {
    for (const act of [begin, ...acts]) {
      const before = times;
      await act();
      await until("it is told", () => times > before, 5_000);
    }
  } finally {
    await watch.stop();
  }
}

Deno.test({
  name: "FileWatch sees a Secret mount each time that Kubernetes swaps it",
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
    await told(folder, "tls.crt", [() => fill("..2026_2"), () => fill("..2026_3")]);
  },
});

Deno.test({
  name:
    "FileWatch sees a file written in place, renamed over, and gone with its directory or back with another",
  ...strict,
  fn: async () => {
    await using folder = await TemporaryFolder.make();
    await Deno.mkdir(folder.at("conf"));
    await Deno.writeTextFile(folder.at("conf/weir.yaml"), "a");
    await told(folder, "conf/weir.yaml", [
      () => Deno.writeTextFile(folder.at("conf/weir.yaml"), "b"),
      async () => {
        await Deno.writeTextFile(folder.at("new"), "c");
        await Deno.rename(folder.at("new"), folder.at("conf/weir.yaml"));
      },
      () => Deno.rename(folder.at("conf"), folder.at("before")),
      async () => {
        await Deno.mkdir(folder.at("next"));
        await Deno.writeTextFile(folder.at("next/weir.yaml"), "c");
        await Deno.rename(folder.at("next"), folder.at("conf"));
      },
    ]);
  },
});

Deno.test({
  name: "FileWatch does not mind what else happens in the directory",
  ...strict,
  fn: async () => {
    await using folder = await TemporaryFolder.make();
    await Deno.writeTextFile(folder.at("weir.yaml"), "a");
    const before = await identifyFile(folder.at("weir.yaml"));
    await Deno.writeTextFile(folder.at("weir.log"), "GET /\n");
    assertEquals(await identifyFile(folder.at("weir.yaml")), before);
  },
});

Deno.test({
  name: "FileWatch knows another file from one of the same size and time",
  ...strict,
  fn: async () => {
    await using folder = await TemporaryFolder.make();
    for (const name of ["a", "b"]) {
      await Deno.writeTextFile(folder.at(name), name);
      await Deno.utime(folder.at(name), 1_000, 1_000);
    }
    assertNotEquals(await identifyFile(folder.at("a")), await identifyFile(folder.at("b")));
  },
});

/** A watch of two files that a test scripts. */
class Scripted {
  readonly clock = new VirtualClock();
  readonly told: number[] = [];
  identity = "1";
  readonly watch = new FileWatch({
    files: ["/etc/weir/a", "/etc/weir/b"],
    clock: this.clock,
    identify: (file) => Promise.resolve(file.endsWith("b") ? this.identity : ""),
    onMaybeChanged: () => this.told.push(this.clock.now()),
    quietMs: 100,
    pollMs: 10_000,
  });
}

Deno.test("FileWatch tells at first, and a change soon after its end", async () => {
  const scripted = new Scripted();
  const { watch, clock, told } = scripted;
  watch.start();
  await clock.advance(300);
  assertEquals(told, [100]);
  scripted.identity = "2";
  await clock.advance(50);
  // Seen at 350, and not over yet.
  scripted.identity = "3";
  await clock.advance(199);
  assertEquals(told, [100]);
  await clock.advance(1);
  assertEquals(told, [100, 550]);
  await clock.advance(9_000);
  assertEquals(told, [100, 550]);
  await watch.stop();
});

Deno.test("FileWatch tells now and then what it does not see, and of files that never are quiet", async () => {
  const scripted = new Scripted();
  const { watch, clock, told } = scripted;
  watch.start();
  await clock.advance(10_100);
  assertEquals(told, [100, 10_100]);
  let writes = 0;
  Object.defineProperty(scripted, "identity", { get: () => `${writes++}` });
  await clock.advance(21_000);
  assertEquals(told.length, 4);
  await watch.stop();
});

Deno.test("FileWatch tells nothing once it is stopped, be it during a look", async () => {
  for (const ms of [null, 0, 99]) {
    const { watch, clock, told } = new Scripted();
    watch.start();
    if (ms !== null) await clock.advance(ms);
    await watch.stop();
    await clock.advance(60_000);
    assertEquals([told, clock.waiting], [[], 0], `${ms}`);
  }
});

Deno.test("FileWatch.stop() waits for a look that is under way", async () => {
  const look = Promise.withResolvers<string>();
  const watch = new FileWatch({
    files: ["/etc/weir/a"],
    clock: new VirtualClock(),
    identify: () => look.promise,
    onMaybeChanged: () => {},
  });
  watch.start();
  let stopped = false;
  const stopping = watch.stop().then(() => stopped = true);
  await settled();
  assertEquals(stopped, false);
  look.resolve("1");
  await stopping;
});
