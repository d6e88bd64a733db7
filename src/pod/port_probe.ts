// Whether the port is free, asked once before the workers share it.
//
// SO_REUSEPORT lets a second process listen on the same port without a word, and take half of the
// connections; so the port is first bound without it.

export class PortInUseError extends Error {
  override readonly name = "PortInUseError";
}

/**
 * The port to listen on: `port`, or a free one for 0.
 * @throws PortInUseError with what to do about it
 */
export function probePort(host: string, port: number): number {
  try {
    const listener = Deno.listen({ hostname: host, port });
    const found = listener.addr.port;
    listener.close();
    return found;
  } catch (error) {
    throw new PortInUseError(reason(error, host, port));
  }
}

function reason(error: unknown, host: string, port: number): string {
  const where = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  if (error instanceof Deno.errors.AddrInUse) {
    return `cannot listen on ${where}: the port is in use by another process; choose another with PORT or --port`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `cannot listen on ${where}: the system does not allow this port to this user; ports from 1024 need no right`;
  }
  return `cannot listen on ${where}: ${error instanceof Error ? error.message : error}`;
}
