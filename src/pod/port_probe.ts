// Whether a port can be had, and in which words to say why not.
//
// SO_REUSEPORT lets a second process listen on the same port without a word, and take half of the
// connections; so the port of the workers is first bound without it.

export class CannotListenError extends Error {
  override readonly name = "CannotListenError";
}

/** An address to listen on, and the settings that choose another: `HOST` and `PORT`, or `ADMIN_HOST` and `ADMIN_PORT`. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly owner: "traffic" | "admin";
}

/**
 * The port to listen on: the address's, or a free one for 0.
 * @throws CannotListenError with what to do about it
 */
export function probePort(address: Address): number {
  return orSayWhy(address, () => {
    const listener = Deno.listen({ hostname: address.host, port: address.port });
    const { port } = listener.addr;
    listener.close();
    return port;
  });
}

/** What `listen` returns. @throws CannotListenError when it throws */
export function orSayWhy<T>(address: Address, listen: () => T): T {
  try {
    return listen();
  } catch (error) {
    throw new CannotListenError(reason(error, address));
  }
}

function reason(error: unknown, { host, port, owner }: Address): string {
  const cannot = `cannot listen on ${host.includes(":") ? `[${host}]` : host}:${port}`;
  const [variable, flag] = owner === "admin" ? ["ADMIN_", "admin-"] : ["", ""];
  if (error instanceof Deno.errors.AddrInUse) {
    return `${cannot}: the port is in use by another process; choose another with ${variable}PORT or --${flag}port`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `${cannot}: the system does not allow this port to this user; ports from 1024 need no right`;
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return `${cannot}: this machine has no such address; choose another with ${variable}HOST or --${flag}host`;
  }
  return `${cannot}: ${error instanceof Error ? error.message : error}`;
}
