import { assertEquals, assertRejects } from "@std/assert";
import { FILE_BYTES_MAX, readConfigFile, readTextFileBounded } from "../../src/config/file.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

async function withFile(play: (path: string) => Promise<void>): Promise<void> {
  await using folder = await TemporaryFolder.make();
  const path = folder.at("config.yaml");
  await play(path);
  await Deno.remove(path);
  await assertRejects(() => readTextFileBounded(path), Deno.errors.NotFound);
}

Deno.test({
  name: "readTextFileBounded() reads a whole file, and of a huge one a byte more than is accepted",
  sanitizeOps: true,
  sanitizeResources: true,
  fn: () =>
    withFile(async (path) => {
      for (const text of ["", "listen: { port: 80 } # ä\n", "x".repeat(FILE_BYTES_MAX)]) {
        await Deno.writeTextFile(path, text);
        assertEquals(await readTextFileBounded(path), text);
      }
      await Deno.truncate(path, 100 * FILE_BYTES_MAX);
      assertEquals((await readTextFileBounded(path)).length, FILE_BYTES_MAX + 1);
    }),
});

Deno.test("readConfigFile() counts a byte order mark, and takes it off", () =>
  withFile(async (path) => {
    const text = "#".repeat(FILE_BYTES_MAX - 3);
    await Deno.writeTextFile(path, "\uFEFF" + text);
    assertEquals(await readConfigFile(path, readTextFileBounded), text);
    await Deno.writeTextFile(path, "\uFEFF" + text + "#");
    const problem = { state: "is larger than 1 MiB", accepted: "must hold at most 1048576 bytes" };
    assertEquals(await readConfigFile(path, readTextFileBounded), problem);
  }));
