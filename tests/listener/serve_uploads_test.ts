import { assertEquals } from "@std/assert";
import { Uploads } from "../../src/listener/serve_uploads.ts";
import { settled } from "../support/settled.ts";

Deno.test("Uploads.none() settles for everybody who waits once the last upload has ended", async () => {
  const uploads = new Uploads();
  await uploads.none();
  const ends = [uploads.begin(), uploads.begin()];
  let none = 0;
  for (let waits = 0; waits < 2; waits++) uploads.none().then(() => none++);
  const seen: number[] = [];
  for (const end of ends) {
    end();
    await settled();
    seen.push(none);
  }
  assertEquals(seen, [0, 2]);
  await uploads.none();
});
