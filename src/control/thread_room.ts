// Whether a thread may be started. One that finds no descriptors for its event loop ends the whole process: Deno 2.9.6
// panics where it makes the thread's runtime, and nobody can catch that.

import { wantsDescriptors } from "../error_message.ts";

/** A thread opens six as it begins; the rest is for what others open meanwhile. */
const NEEDED = 32;

export class NoThreadRoomError extends Error {
  constructor() {
    super(`fewer than ${NEEDED} file descriptors are free, too few to start a thread with (ulimit -n)`);
  }
}

/** @param open takes one descriptor, and throws when there is none */
export function hasThreadRoom(open: () => Disposable = openSocket): boolean {
  using taken = new DisposableStack();
  try {
    for (let i = 0; i < NEEDED; i++) taken.use(open());
    return true;
  } catch (error) {
    if (wantsDescriptors(error)) return false;
    throw error;
  }
}

function openSocket(): Disposable {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  return { [Symbol.dispose]: () => socket.close() };
}
