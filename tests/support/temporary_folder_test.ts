import { assertEquals } from "@std/assert";
import { TemporaryFolder } from "./temporary_folder.ts";

/** Greater than the greatest that Linux gives a process. */
const NOBODYS_PID = 4_194_305;

Deno.test("TemporaryFolder.make() removes what processes left that are no more, and nothing else", async () => {
  await using parent = await TemporaryFolder.make();
  const [mine] = /weir-test-\d+-\d+-/.exec(parent.path)!;
  const left = mine.replace(`-${Deno.pid}-`, `-${NOBODYS_PID}-`);
  const kept = [mine, left.replace(/\d+/, "1"), "somebody's"];
  for (const name of [...kept, `${left}/behind`]) await Deno.mkdir(parent.at(name), { recursive: true });
  await using folder = await TemporaryFolder.make(parent.path);
  const names = [...Deno.readDirSync(parent.path)].map(({ name }) => parent.at(name)).sort();
  assertEquals(names, [folder.path, ...kept.map((name) => parent.at(name))].sort());
});

Deno.test("a TemporaryFolder is removed with what is in it, once", async () => {
  const folder = await TemporaryFolder.make();
  const path = await folder.write("file", "text");
  assertEquals(await Deno.readTextFile(path), "text");
  for (let times = 0; times < 2; times++) await folder[Symbol.asyncDispose]();
  assertEquals(await Deno.stat(folder.path).catch(({ name }) => name), "NotFound");
});
