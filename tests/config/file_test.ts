import { assertEquals, assertRejects } from "@std/assert";
import { fileBytesMax, readTextFileBounded } from "../../src/config/file.ts";

Deno.test({
  name: "readTextFileBounded() reads a whole file, and of a huge one a byte more than is accepted",
  sanitizeOps: true,
  sanitizeResources: true,
  async fn() {
    const path = await Deno.makeTempFile();
    try {
      for (const text of ["", "listen: { port: 80 } # ä\n", "x".repeat(fileBytesMax)]) {
        await Deno.writeTextFile(path, text);
        assertEquals(await readTextFileBounded(path), text);
      }
      await Deno.truncate(path, 100 * fileBytesMax);
      assertEquals((await readTextFileBounded(path)).length, fileBytesMax + 1);
    } finally {
      await Deno.remove(path);
    }
    await assertRejects(() => readTextFileBounded(path), Deno.errors.NotFound);
  },
});
