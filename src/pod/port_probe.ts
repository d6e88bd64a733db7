// Whether a port can be had, and in which words to say why not.
//
// SO_REUSEPORT lets a second process listen on the same port without a word, and take half of the
// connections; so each port of the workers is first bound without it. A port that the system picks is held until
// the workers listen on it: were it let go before, the system could give it to the next that asks.

import { bracketed } from "../config/endpoint_url.ts";
import { messageOf } from "../error_message.ts";

export class CannotListenError extends Error {
  override readonly name = "CannotListenError";
}

/** An address to listen on, and whose it is: what chooses another depends on that. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly owner: keyof typeof SETTINGS;
}

/** What chooses another host or port. */
const SETTINGS = {
  traffic: { host: "HOST or --host", port: "PORT or --port" },
  redirect: { host: "HOST or --host", port: "listen.tls.redirectPort" },
  admin: { host: "ADMIN_HOST or --admin-host", port: "ADMIN_PORT or --admin-port" },
};

/** A port that no other process can have. */
export interface HeldPort {
  readonly port: number;
  /** To be called once a worker listens: until then connections wait here, and are reset. */
  readonly release: () => void;
}

/**
 * The port to listen on: the address's, or a free one for 0.
 * @throws CannotListenError with what to do about it
 */
export function holdPort(address: Address): HeldPort {
  return orSayWhy(address, () => {
    const picked = address.port === 0;
    // The system never picks a port that anybody has, with or without SO_REUSEPORT; only workers may join this one.
    const listener = Deno.listen({ hostname: address.host, port: address.port, reusePort: picked });
    const { port } = listener.addr;
    if (picked) return { port, release: once(() => listener.close()) };
    listener.close();
    return { port, release: () => {} };
  });
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
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
  const cannot = `cannot listen on ${bracketed(host)}:${port}`;
  const another = SETTINGS[owner];
  if (error instanceof Deno.errors.AddrInUse) {
    return `${cannot}: the port is in use by another process; choose another with ${another.port}`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `${cannot}: the system does not allow this port to this user; ports from 1024 need no right`;
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return `${cannot}: this machine has no such address; choose another with ${another.host}`;
  }
  return `${cannot}: ${messageOf(error)}`;
}
