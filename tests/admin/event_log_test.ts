import { assertEquals } from "@std/assert";
import { EventLog } from "../../src/admin/event_log.ts";

Deno.test("EventLog.recent() has the last events, numbered on, oldest first", () => {
  let now = 0;
  const log = new EventLog({ now: () => ++now, eventsMax: 2 });
  for (const text of ["a", "b", "c"]) log.happened("reload", "neutral", text);
  assertEquals(log.recent(), [
    { id: 2, at: 2, kind: "reload", tone: "neutral", text: "b" },
    { id: 3, at: 3, kind: "reload", tone: "neutral", text: "c" },
  ]);
});

Deno.test("EventLog tells each listener until it leaves, whatever another one does", () => {
  const log = new EventLog({ now: () => 0 });
  const heard: string[] = [];
  log.subscribe(() => {
    throw new Error("broken listener");
  });
  const leave = log.subscribe(({ text }) => heard.push(text));
  log.happened("worker", "bad", "worker 0 died");
  leave();
  log.happened("worker", "good", "worker 0 serves");
  assertEquals([heard, log.subscribed], [["worker 0 died"], 1]);
});
