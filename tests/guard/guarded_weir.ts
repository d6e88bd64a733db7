// One event loop of Weir in a process of its own, which counts what it does: run by `counts.ts`.
//
// It obeys single bytes on standard input: `h` begins to count, `b` begins to count with buffers, `e` ends, and
// each is answered with a line. Reads and writes are calls on Weir's own connections: both sides of the `wire`
// listener, but only the origins' side of `serve`, whose clients are Deno's. At both ends of a count it looks for
// a file that is not there, so that a trace of its system calls shows where they are.

import v8 from "node:v8";
import type { ListenerName } from "../support/weir.ts";

export interface LoopCounts {
  readonly reads: number;
  readonly writes: number;
  /** Objects, strings, closures: what V8 allocates on its heap. */
  readonly heapBytes: number;
  /** Byte buffers, which live beside the heap; only after `b`. */
  readonly bufferBytes: number;
}

/** No such file; its name stands in the trace. */
export const MARK = "/the-guard-looks-here";

let reads = 0, writes = 0, bufferBytes = 0, heapAtBegin = 0;

async function main(listener: ListenerName, upstreams: string): Promise<void> {
  countReads();
  await countWrites();
  const { startLoop } = await import("../support/loop.ts");
  const loop = await startLoop({ upstreams, listener, config: { accessLog: "off" } });
  console.log(loop.url);
  const command = new Uint8Array(1);
  while (await Deno.stdin.read(command) !== null) obey(String.fromCharCode(command[0]!));
  Deno.exit();
}

function obey(command: string): void {
  if (command === "e") {
    mark();
    const counts: LoopCounts = { reads, writes, heapBytes: heapBytes() - heapAtBegin, bufferBytes };
    globalThis.Uint8Array = PlainUint8Array;
    console.log(JSON.stringify(counts));
    return;
  }
  if (command === "b") globalThis.Uint8Array = CountedUint8Array;
  console.log("begun");
  reads = writes = bufferBytes = 0;
  mark();
  heapAtBegin = heapBytes();
}

interface Core {
  read(rid: number, into: Uint8Array): Promise<number>;
}

/** Counts what Weir reads by, which it takes as it is loaded: see `src/http1/read_some.ts`. */
function countReads(): void {
  const { internal } = Deno as unknown as { readonly internal: symbol };
  const internals = (Deno as unknown as Record<symbol, { core: Core }>)[internal]!;
  const { core } = internals;
  const read: Core["read"] = (rid, into) => {
    reads++;
    return core.read(rid, into);
  };
  internals.core = Object.create(core, { read: { value: read } });
}

/** `Deno.Conn` is a type only, so its prototype is taken from a connection. */
async function countWrites(): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  let prototype = conn;
  while (!Object.hasOwn(prototype, "write")) prototype = Object.getPrototypeOf(prototype);
  const { write } = prototype;
  prototype.write = function (bytes) {
    writes++;
    return write.call(this, bytes);
  };
}

const PlainUint8Array = Uint8Array;
/** Views of a buffer that is there cost no buffer; a size does. */
const CountedUint8Array = new Proxy(Uint8Array, {
  construct(target, args, self) {
    if (typeof args[0] === "number") bufferBytes += args[0];
    return Reflect.construct(target, args, self);
  },
});

function mark(): void {
  try {
    Deno.statSync(MARK);
  } catch {
    // As it should be.
  }
}

/** Since the start; collected or not. Deno's types do not know it yet. */
function heapBytes(): number {
  return (v8.getHeapStatistics() as unknown as { total_allocated_bytes: number }).total_allocated_bytes;
}

if (import.meta.main) await main(Deno.args[0] as ListenerName, Deno.args[1] ?? "");
