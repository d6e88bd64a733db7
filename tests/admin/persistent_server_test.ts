import { assertEquals } from "@std/assert";
import { PersistentServer } from "../../src/admin/persistent_server.ts";
import { settled } from "../support/settled.ts";

/** A Deno.serve whose accept loop the test breaks, and a clock that the test turns. */
function scripted() {
  const ports: number[] = [];
  const problems: string[] = [];
  const waits = new Set<() => void>();
  let breaking: (error: Error) => void = () => {};
  let refuse = false;
  const listening = new PersistentServer({
    host: "127.0.0.1",
    port: 0,
    handler: async () => new Response(),
    onProblem: (problem) => problems.push(problem),
    serve: ({ port }) => {
      ports.push(port!);
      if (refuse) throw new Error("too many open files");
      const { promise, reject } = Promise.withResolvers<void>();
      breaking = reject;
      const addr = { transport: "tcp" as const, hostname: "127.0.0.1", port: port || 4711 };
      return { addr, finished: promise, shutdown: async () => {} };
    },
    later: (_ms, act) => {
      waits.add(act);
      return () => void waits.delete(act);
    },
  });
  const pass = () => {
    const due = [...waits];
    waits.clear();
    for (const act of due) act();
  };
  const breakOff = async (error: Error) => {
    breaking(error);
    await settled();
  };
  /** How long it has waited each time since this was asked last. */
  const waited = () => problems.splice(0).map((problem) => Number(/(\d+) ms/.exec(problem)![1]));
  return {
    listening,
    ports,
    problems,
    waited,
    waits,
    pass,
    breakOff,
    refuse: (yes: boolean) => void (refuse = yes),
  };
}

Deno.test("PersistentServer listens again on the same port when accepting breaks off, however often it takes", async () => {
  const { listening, ports, problems, pass, breakOff, refuse } = scripted();
  assertEquals(listening.port, 4711);
  await breakOff(new Error("EMFILE"));
  refuse(true);
  pass();
  refuse(false);
  pass();
  assertEquals(ports, [0, 4711, 4711]);
  assertEquals(problems, [
    "admin: listening broke off: EMFILE; listening again in 50 ms",
    "admin: listening broke off: too many open files; listening again in 100 ms",
  ]);
});

Deno.test("PersistentServer waits twice as long each time, up to a second, until it has stood for that long", async () => {
  const { waited, pass, breakOff } = scripted();
  for (let i = 0; i < 6; i++) {
    await breakOff(new Error("EMFILE"));
    pass();
  }
  assertEquals(waited(), [50, 100, 200, 400, 800, 1_000]);
  pass();
  await breakOff(new Error("EMFILE"));
  assertEquals(waited(), [50]);
});

Deno.test("PersistentServer.close() stays closed, and leaves nothing waiting", async () => {
  const { listening, ports, waits, pass, breakOff } = scripted();
  await breakOff(new Error("EMFILE"));
  await listening.close();
  assertEquals(waits.size, 0);
  pass();
  assertEquals(ports, [0]);
});

Deno.test("PersistentServer.close() says nothing of what ends after it, and listens no more", async () => {
  const { listening, ports, problems, waits, breakOff } = scripted();
  await listening.close();
  await breakOff(new Error("cut"));
  assertEquals([ports, problems, waits.size], [[0], [], 0]);
});
