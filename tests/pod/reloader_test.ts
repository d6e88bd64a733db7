// What a reload leaves behind, whatever comes of it: one event, one `lastReload`, and a pod that goes on.

import { assertEquals } from "@std/assert";
import type { ReloadInfo } from "../../src/admin/sources.ts";
import type { Loaded, Refused } from "../../src/config/load.ts";
import { EventBook } from "../../src/pod/event_book.ts";
import { type Reloadable, Reloader } from "../../src/pod/reloader.ts";
import { loaded } from "../config/helpers.ts";

/** A pod that takes over whatever it is given. */
class Pod implements Reloadable {
  lastReload: ReloadInfo | null = null;

  constructor(public loaded: Loaded) {}

  reload(loaded: Loaded): Promise<readonly string[]> {
    this.loaded = loaded;
    return Promise.resolve([]);
  }
}

/** Reloads a pod that runs `file` with what each of `loads` gives, one after the other. @returns the words of each */
async function reload(file: string, ...loads: (() => Promise<Loaded | Refused>)[]) {
  const pod = new Pod(await loaded({ file }));
  const events = new EventBook(() => 0, () => {});
  const reloader = new Reloader({ pod, load: () => loads.shift()!(), events, date: () => 0 });
  while (loads.length > 0) {
    reloader.request("SIGHUP");
    await reloader.idle();
  }
  return { pod, words: events.recent().map(({ text }) => text) };
}

const API = "upstreams: {api: {endpoints: [http://10.0.0.1]}}\n";

Deno.test("a reload that fails in a way nobody foresaw is refused, and the next one is made", async () => {
  const fails = () => Promise.reject(new RangeError("Maximum call stack size exceeded"));
  const { pod, words } = await reload(API, fails, () => loaded({ file: API }));
  assertEquals(words, [
    "SIGHUP: refused, the old configuration stays: Maximum call stack size exceeded",
    "SIGHUP: applied: nothing changed",
  ]);
  assertEquals(pod.lastReload?.ok, true);
});
