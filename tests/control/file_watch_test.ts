import { assertEquals } from "@std/assert";
import { systemClock } from "../../src/control/clock.ts";
import { directoriesOf, FileWatch, watchDirectories } from "../../src/control/file_watch.ts";

const strict = { sanitizeOps: true, sanitizeResources: true };
/** Longer than any test: what is heard was heard by the watch. */
const NO_POLL_MS = 3_600_000;

Deno.test("directoriesOf() names each directory once", () => {
  assertEquals(directoriesOf(["/etc/weir/a", "/etc/weir/b", "c", "./d/e"]), ["/etc/weir/", ".", "./d/"]);
});

async function heard(directory: string, files: readonly string[], acts: (() => Promise<void>)[]) {
  let changed = () => {};
  const watch = new FileWatch({
    files: files.map((file) => `${directory}/${file}`),
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
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test({
  name: "FileWatch hears of a Secret mount each time that Kubernetes swaps it",
  ...strict,
  fn: async () => {
    const directory = await Deno.makeTempDir();
    const at = (name: string) => `${directory}/${name}`;
    const fill = async (version: string) => {
      await Deno.mkdir(at(version));
      await Deno.writeTextFile(at(`${version}/tls.crt`), version);
      await Deno.symlink(version, at("..data_tmp"));
      await Deno.rename(at("..data_tmp"), at("..data"));
    };
    await fill("..2026_1");
    await Deno.symlink("..data/tls.crt", at("tls.crt"));
    await heard(directory, ["tls.crt"], [() => fill("..2026_2"), () => fill("..2026_3")]);
  },
});

Deno.test({
  name: "FileWatch hears of a file each time that another is renamed over it",
  ...strict,
  fn: async () => {
    const directory = await Deno.makeTempDir();
    const at = (name: string) => `${directory}/${name}`;
    const replace = async () => {
      await Deno.writeTextFile(at("new"), "x");
      await Deno.rename(at("new"), at("tls.key"));
    };
    await replace();
    await heard(directory, ["tls.key"], [replace, replace]);
  },
});
