// An origin that speaks WebSocket by the `ws` package, as most Node.js applications do.

import { type ServerOptions, WebSocketServer } from "ws";

export interface WsOrigin extends AsyncDisposable {
  readonly url: string;
  /** How each connection was closed, in order. */
  readonly closes: { readonly code: number; readonly reason: string }[];
  readonly open: number;
}

/** Sends back every message; chooses the last subprotocol of an offer. */
export async function startWsOrigin(options: ServerOptions = {}): Promise<WsOrigin> {
  const server = new WebSocketServer({
    ...options,
    port: 0,
    host: "127.0.0.1",
    maxPayload: 64_000_000,
    handleProtocols: (offer) => [...offer].at(-1) ?? false,
  });
  const closes: { code: number; reason: string }[] = [];
  server.on("connection", (socket) => {
    socket.on("message", (data, binary) => socket.send(data, { binary }));
    socket.on("close", (code, reason) => closes.push({ code, reason: String(reason) }));
  });
  await new Promise<void>((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    closes,
    get open() {
      return server.clients.size;
    },
    async [Symbol.asyncDispose]() {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
