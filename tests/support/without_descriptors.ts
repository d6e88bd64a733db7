// A process that has used up its file descriptors meets an https endpoint whose handshakes have run out of time, and
// prints what it learns. In a process of its own, as descriptors are counted per process.

import { probe } from "../../src/control/probe.ts";
import { dial } from "../../src/upstream/dial.ts";
import { Pools } from "../../src/upstream/pools.ts";
import { StillTime } from "./still_time.ts";

const tls = { caCerts: [] };
/** Takes connections, as the system does it for every listener, and says nothing. */
const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const target = {
  scheme: "https",
  host: "127.0.0.1",
  port: silent.addr.port,
  authority: "app.test",
} as const;
// As Weir does: Deno panics where it wants its descriptors for signals only then.
Deno.addSignalListener("SIGHUP", () => {});
const held: Disposable[] = [];
try {
  while (true) held.push(Deno.openSync("/dev/null"));
} catch {
  // As many as there are.
}

const time = new StillTime();
/** What becomes of a dial. */
async function dialled(pools: Pools): Promise<unknown> {
  const history = { silent: true };
  const limits = { connectMs: 500, tlsHandshakeMs: 500 };
  const outcome = dial(target, tls, limits, { wheel: time.wheel, pools, history }).then(
    () => "connected",
    (error) => error.kind,
  );
  let over = false;
  void outcome.then(() => over = true);
  while (!over) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    await time.pass(1);
  }
  return [await outcome, history.silent];
}

const none = new Pools();
const checked = { silent: true };
const settings = { kind: "tcp", path: "/", expect: ["200"], tls } as const;
const { passed, local } = await probe(target, settings, new AbortController().signal, checked);
const idle = new Pools();
idle.add({
  get oldest() {
    const file = held.pop()!;
    return { idleSince: 0, giveWay: async () => file[Symbol.dispose]() };
  },
});
const told = {
  probe: [passed, local, checked.silent],
  dial: await dialled(none),
  dialWithRoom: await dialled(idle),
};
for (const file of held) file[Symbol.dispose]();
console.log(JSON.stringify(told));
Deno.exit(0);
