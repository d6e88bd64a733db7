// A client that speaks WebSocket by the `ws` package, as most Node.js applications do.

import { WebSocket } from "ws";

export interface WsOptions {
  readonly protocols?: readonly string[];
  /** Certificate of the authority that is trusted, as PEM text. */
  readonly ca?: string;
}

/** Settles when it is open. @throws when it cannot */
export async function connectWs(url: string, { protocols = [], ca }: WsOptions = {}): Promise<WebSocket> {
  const tls = ca === undefined ? {} : { ca };
  const client = new WebSocket(url.replace("http", "ws"), [...protocols], tls);
  await new Promise((resolve, reject) => {
    client.once("open", resolve);
    client.once("error", reject);
  });
  return client;
}
