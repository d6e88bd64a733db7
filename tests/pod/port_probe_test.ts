import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { CannotListenError, holdPort, orSayWhy } from "../../src/pod/port_probe.ts";
import { freePort } from "../support/free_port.ts";

const host = "127.0.0.1";
const traffic = (port: number) => ({ host, port, owner: "traffic" }) as const;

Deno.test("holdPort() keeps a port that the system picked from everybody but workers, until it is released", () => {
  const held = holdPort(traffic(0));
  assertNotEquals(held.port, 0);
  assertThrows(() => Deno.listen({ hostname: host, port: held.port }), Deno.errors.AddrInUse);
  const worker = Deno.listen({ hostname: host, port: held.port, reusePort: true });
  held.release();
  worker.close();
  Deno.listen({ hostname: host, port: held.port }).close();
  // Each worker that listens releases it.
  held.release();
});

Deno.test("holdPort() picks a different port for each of many that start at once", () => {
  const held = Array.from({ length: 500 }, () => holdPort(traffic(0)));
  assertEquals(new Set(held.map(({ port }) => port)).size, 500);
  for (const { release } of held) release();
});

Deno.test("holdPort() refuses a port that another process has, also with SO_REUSEPORT", () => {
  const port = freePort();
  using _other = Deno.listen({ hostname: host, port, reusePort: true });
  const error = assertThrows(() => holdPort(traffic(port)), CannotListenError);
  assertEquals(
    error.message,
    `cannot listen on 127.0.0.1:${port}: the port is in use by another process; choose another with PORT or --port`,
  );
});

Deno.test("holdPort() does not keep a port that was asked for: workers bind it without a competitor", () => {
  const port = freePort();
  holdPort(traffic(port));
  Deno.listen({ hostname: host, port }).close();
});

Deno.test("orSayWhy() says what to do about a port that the system does not give, by whose it is", () => {
  const place = "cannot listen on [fd00::1]:80: ";
  const { PermissionDenied, AddrNotAvailable } = Deno.errors;
  for (
    const [owner, error, words] of [
      [
        "traffic",
        new PermissionDenied(),
        "the system does not allow this port to this user; ports from 1024 need no right",
      ],
      [
        "traffic",
        new AddrNotAvailable(),
        "this machine has no such address; choose another with HOST or --host",
      ],
      [
        "admin",
        new AddrNotAvailable(),
        "this machine has no such address; choose another with ADMIN_HOST or --admin-host",
      ],
      ["redirect", new Error("no more sockets"), "no more sockets"],
    ] as const
  ) {
    const listen = () => {
      throw error;
    };
    const said = assertThrows(
      () => orSayWhy({ host: "fd00::1", port: 80, owner }, listen),
      CannotListenError,
    );
    assertEquals(said.message, place + words);
  }
});
