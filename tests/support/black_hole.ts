// An address whose connection attempts get no answer at all, as behind a firewall that drops packets.
//
// Linux drops connection requests to a listener whose accept queue is full, so the queue is filled and nothing
// is ever accepted.

import net from "node:net";

export interface BlackHole extends AsyncDisposable {
  readonly url: string;
}

export async function startBlackHole(): Promise<BlackHole> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const { port } = listener.addr;
  const fillers = await fill(port);
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const filler of fillers) filler.destroy();
      listener.close();
      await Promise.all(fillers.map((filler) => new Promise((resolve) => filler.once("close", resolve))));
    },
  };
}

/** Connects until a connection is not accepted at once. */
async function fill(port: number): Promise<net.Socket[]> {
  const fillers: net.Socket[] = [];
  for (let connected = true; connected;) {
    const filler = net.connect(port, "127.0.0.1");
    filler.on("error", () => {});
    fillers.push(filler);
    const accepted = new Promise<boolean>((resolve) => filler.once("connect", () => resolve(true)));
    const dropped = Promise.withResolvers<boolean>();
    // On loopback an accepted connection is there at once; Linux repeats a dropped one after a second.
    const timer = setTimeout(() => dropped.resolve(false), 300);
    // On a busy machine the news of it may be late; the kernel knows.
    connected = await Promise.race([accepted, dropped.promise]) || !await isUnanswered(port);
    clearTimeout(timer);
  }
  return fillers;
}

/** Whether a connection attempt to this port of 127.0.0.1 waits for its answer. */
async function isUnanswered(port: number): Promise<boolean> {
  const remote = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const sockets = (await Deno.readTextFile("/proc/net/tcp")).split("\n").map((line) =>
    line.trim().split(/\s+/)
  );
  // State 02 is SYN_SENT.
  return sockets.some(([, , address, state]) => address === remote && state === "02");
}
