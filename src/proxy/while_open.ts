// A WebSocket while it is open: counted, and in the list of those that are asked to go when Weir goes.
//
// Called for both kinds, the relayed and the tunnelled one, so that metrics and drains know them alike.

import { WorkerField } from "../board/fields.ts";
import { ColumnCell } from "../board/layout.ts";
import type { OpenSocket } from "./open_sockets.ts";
import type { Proxy } from "./proxy.ts";

/** Settles as `running` does; the socket is counted out and forgotten then, whatever came of it. */
export async function whileOpen(
  { inputs: { own }, openSockets }: Pick<Proxy, "inputs" | "openSockets">,
  socket: OpenSocket,
  running: Promise<void>,
): Promise<void> {
  const gauge = own.gauge(ColumnCell.webSockets);
  const leave = openSockets.enter(socket);
  own.worker.add(WorkerField.webSockets);
  gauge.add(1);
  try {
    await running;
  } finally {
    gauge.add(-1);
    leave();
  }
}
