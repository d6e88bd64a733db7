// What a Kubernetes Service is to pods: new connections go in turn to those that were ready a moment ago.
//
// It follows /readyz and acts on what it saw only after `lagMs`, as endpoints reach the nodes late. A
// connection once made stays where it is, byte for byte, until either side ends it.

import type { RunningWeir } from "./weir.ts";

const LOOK_MS = 50;

interface Backend {
  readonly weir: RunningWeir;
  seen: boolean;
  /** What new connections go by. */
  ready: boolean;
}

export class Spreader implements AsyncDisposable {
  /** Connections that found nobody ready. */
  turnedAway = 0;
  private readonly listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  private readonly backends = new Set<Backend>();
  private readonly timers = new Set<ReturnType<typeof setTimeout>>();
  private readonly open = new Set<Deno.Conn>();
  private readonly work: Promise<unknown>[] = [];
  private turn = 0;
  private closed = false;

  constructor(private readonly lagMs: number) {
    this.work.push(this.accept(), this.look());
  }

  get url(): string {
    return `http://127.0.0.1:${(this.listener.addr as Deno.NetAddr).port}`;
  }

  get readyCount(): number {
    return [...this.backends].filter(({ ready }) => ready).length;
  }

  add(weir: RunningWeir): void {
    this.backends.add({ weir, seen: false, ready: false });
  }

  private async look(): Promise<void> {
    while (!this.closed) {
      for (const backend of this.backends) {
        const ready = !backend.weir.ended && await backend.weir.status("/readyz") === 200;
        if (ready === backend.seen) continue;
        backend.seen = ready;
        this.after(this.lagMs, () => {
          backend.ready = ready;
          if (backend.weir.ended) this.backends.delete(backend);
        });
      }
      await new Promise<void>((resolve) => this.after(LOOK_MS, resolve));
    }
  }

  private after(ms: number, callback: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      callback();
    }, ms);
    this.timers.add(timer);
  }

  private async accept(): Promise<void> {
    while (!this.closed) {
      try {
        this.work.push(this.join(await this.listener.accept()));
      } catch (error) {
        // A client that has left already is no reason to stop listening.
        if (!this.closed && !(error instanceof Deno.errors.NotConnected)) throw error;
      }
    }
  }

  private async join(client: Deno.TcpConn): Promise<void> {
    const ready = [...this.backends].filter((backend) => backend.ready);
    const backend = ready[this.turn++ % Math.max(ready.length, 1)];
    const { hostname, port } = new URL(backend?.weir.url ?? "http://127.0.0.1:9");
    const server = await Deno.connect({ hostname, port: Number(port) }).catch(() => null);
    if (backend === undefined || server === null) {
      this.turnedAway++;
      server?.close();
      return client.close();
    }
    this.open.add(client).add(server);
    await Promise.all([copy(client, server), copy(server, client)]);
    for (const conn of [client, server]) {
      this.open.delete(conn);
      close(conn);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closed = true;
    this.listener.close();
    for (const conn of this.open) close(conn);
    await Promise.all(this.work);
    for (const timer of this.timers) clearTimeout(timer);
  }
}

/**
 * All bytes, and the end as an end; a connection that breaks breaks the other, once all that it said before
 * has been passed on: as if there was nobody in between.
 */
async function copy(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(16_384);
  for (;;) {
    const count = await from.read(buffer).catch(() => "broken" as const);
    if (count === "broken") return close(to);
    if (count === null) return void await to.closeWrite().catch(() => {});
    // When this side cannot be told any more, what it said last is still on its way to the other.
    if (!await writeAll(to, buffer.subarray(0, count))) return;
  }
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<boolean> {
  try {
    for (let sent = 0; sent < bytes.length;) sent += await to.write(bytes.subarray(sent));
    return true;
  } catch {
    return false;
  }
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Closed already.
  }
}
