// Out of descriptors: what idles makes room for what is dialled, whosever it is.

import { assertEquals, assertRejects } from "@std/assert";
import { Board, DEFAULT_CAPACITY } from "../../src/board/layout.ts";
import { EndpointField } from "../../src/board/fields.ts";
import { OwnColumn } from "../../src/board/own.ts";
import { Totals } from "../../src/board/totals.ts";
import { configSchema } from "../../src/config/schema.ts";
import { Connection } from "../../src/upstream/connection.ts";
import { DialError } from "../../src/upstream/dial.ts";
import { Endpoint } from "../../src/upstream/endpoint.ts";
import { Pools } from "../../src/upstream/pools.ts";
import { snapshotOf } from "../support/loop.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";

const LIMITS = { connectMs: 1_000, tlsHandshakeMs: 1_000 };

/** Says nothing. Its read ends when the test says so: Deno keeps a closed socket until then. */
class Conn {
  readonly read = Promise.withResolvers<number>();

  constructor(private readonly name: string, private readonly done: string[]) {}

  get asConn(): Deno.TcpConn {
    const { name, done, read } = this;
    return {
      read: () => read.promise,
      setNoDelay: () => {},
      close: () => done.push(`${name} closed`),
    } as unknown as Deno.TcpConn;
  }

  get asTlsConn(): Deno.TlsConn {
    return Object.assign(this.asConn, { handshake: () => Promise.resolve() }) as unknown as Deno.TlsConn;
  }

  endRead(): void {
    this.done.push(`the read on ${this.name} ends`);
    this.read.reject(new Deno.errors.Interrupted());
  }
}

/** Three endpoints of a worker; dials come to what the script says, one after the other. */
class Stage implements Disposable {
  readonly done: string[] = [];
  private readonly time = new StillTime();
  private readonly board = Board.create({ ...DEFAULT_CAPACITY, columnsMax: 2 });
  private readonly connect = Deno.connect;
  readonly endpoints: Endpoint[];

  constructor(...dials: (Conn | Error)[]) {
    const endpoints = [1, 2, 3].map((port) => `http://127.0.0.1:${port}`);
    const [upstream] = snapshotOf(configSchema.parse({ upstreams: { default: { endpoints } } })).upstreams;
    const context = {
      own: new OwnColumn(this.board, 1),
      wheel: this.time.wheel,
      pools: new Pools(),
      now: () => this.time.now,
      random: () => 0,
    };
    this.endpoints = upstream!.endpoints.map((endpoint) => new Endpoint(endpoint, upstream!, context));
    Deno.connect = (() => {
      const result = dials.shift()!;
      this.done.push(result instanceof Error ? "dial fails" : "dial succeeds");
      return result instanceof Error ? Promise.reject(result) : Promise.resolve(result.asConn);
    }) as unknown as typeof Deno.connect;
  }

  /** Has the endpoint keep a connection from now on; the next one idles 10 ms less. */
  keep(endpoint: number, name: string, tls = false): Conn {
    const conn = new Conn(name, this.done);
    const connection = new Connection(tls ? conn.asTlsConn : conn.asConn, this.time.wheel, 0);
    const lease = this.endpoints[endpoint]!.lease()!;
    lease.connection = connection;
    lease.release(true);
    this.pass(10);
    return conn;
  }

  pass(ms: number): void {
    this.time.pass(ms);
  }

  /** A new connection to the first endpoint. */
  open(limits = LIMITS): Promise<Connection> {
    return this.endpoints[0]!.open(limits);
  }

  /** Connections that each endpoint counts as closed. */
  get closed(): number[] {
    const totals = new Totals(this.board);
    return this.endpoints.map(({ row }) => totals.endpoint(row, EndpointField.connectionsClosed));
  }

  [Symbol.dispose](): void {
    Deno.connect = this.connect;
  }
}

/** As Deno throws it. */
function outOfDescriptors(): Error {
  return Object.assign(new Error("Too many open files (os error 24)"), { code: "EMFILE" });
}

Deno.test("Endpoint.open() closes who idles the longest, at whichever endpoint, and dials when that is free", async () => {
  using stage = new Stage(outOfDescriptors(), new Conn("new", []));
  const old = stage.keep(2, "old");
  for (const name of ["young", "younger"]) stage.keep(1, name);
  const opening = stage.open();
  await settled();
  assertEquals(stage.done, ["dial fails", "old closed"]);
  old.endRead();
  assertEquals((await opening).usable, true);
  assertEquals(stage.done, ["dial fails", "old closed", "the read on old ends", "dial succeeds"]);
  assertEquals(stage.closed, [0, 0, 1]);
  assertEquals(stage.endpoints.map((endpoint) => endpoint.takeIdle(30) !== null), [false, true, false]);
});

Deno.test("Endpoint.open() closes one connection for each that is dialled", async () => {
  using stage = new Stage(outOfDescriptors(), outOfDescriptors(), new Conn("new", []), new Conn("new", []));
  const kept = ["first", "second", "third"].map((name) => stage.keep(1, name));
  const opening = [stage.open(), stage.open()];
  await settled();
  assertEquals(stage.done, ["dial fails", "dial fails", "first closed", "second closed"]);
  for (const conn of kept.slice(0, 2)) conn.endRead();
  assertEquals((await Promise.all(opening)).map(({ usable }) => usable), [true, true]);
  assertEquals(stage.closed, [0, 2, 0]);
});

Deno.test("Endpoint.open() waits until Deno lets go of a TLS connection that was closed", async () => {
  using stage = new Stage(outOfDescriptors(), new Conn("new", []));
  const kept = stage.keep(1, "kept", true);
  const opening = stage.open();
  await settled();
  kept.endRead();
  await settled();
  stage.pass(100);
  await settled();
  assertEquals(stage.done, ["dial fails", "kept closed", "the read on kept ends"]);
  stage.pass(10);
  assertEquals((await opening).usable, true);
});

Deno.test("Endpoint.open() fails when the time to connect is over before there is room", async () => {
  using stage = new Stage(outOfDescriptors());
  const kept = stage.keep(1, "kept");
  const opening = stage.open({ ...LIMITS, connectMs: 50 });
  const failed = assertRejects(() => opening, DialError, "Too many open files");
  await settled();
  stage.pass(50);
  kept.endRead();
  assertEquals((await failed).kind, "local");
});

Deno.test("Endpoint.open() tries once more and no oftener", async () => {
  using stage = new Stage(outOfDescriptors(), outOfDescriptors());
  const [first] = ["first", "second"].map((name) => stage.keep(1, name));
  const opening = assertRejects(() => stage.open(), DialError);
  await settled();
  first!.endRead();
  assertEquals((await opening).kind, "local");
  assertEquals(stage.done, ["dial fails", "first closed", "the read on first ends", "dial fails"]);
});

Deno.test("Endpoint.open() fails at once when none idles", async () => {
  using stage = new Stage(outOfDescriptors());
  const error = await assertRejects(() => stage.open(), DialError, "Too many open files");
  assertEquals([error.kind, stage.done], ["local", ["dial fails"]]);
});

for (
  const [what, failure] of [
    ["ports", new Error("Address not available (os error 99)")],
    ["a process that listens", new Deno.errors.ConnectionRefused("Connection refused (os error 111)")],
  ] as const
) {
  Deno.test(`Endpoint.open() closes nothing for want of ${what}`, async () => {
    using stage = new Stage(failure);
    stage.keep(1, "kept");
    await assertRejects(() => stage.open(), DialError);
    assertEquals([stage.done, stage.closed], [["dial fails"], [0, 0, 0]]);
  });
}
