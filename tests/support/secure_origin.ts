// An origin over TLS that says who it thinks its client is: the name that was asked for, and the common name of
// the client's certificate.

import https from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Identity } from "./certificates.ts";

export class SecureOrigin implements AsyncDisposable {
  private constructor(private readonly server: https.Server) {}

  /** @param clientCa when given, only clients with a certificate of this authority are served. */
  static async start(identity: Identity, clientCa?: string): Promise<SecureOrigin> {
    const mutual = clientCa === undefined
      ? {}
      : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
    const server = https.createServer({ ...identity, ...mutual }, (request, response) => {
      const socket = request.socket as TLSSocket & { servername: string };
      const client = clientCa === undefined ? "anybody" : socket.getPeerCertificate().subject.CN;
      response.end(`${socket.servername} for ${client}`);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new SecureOrigin(server);
  }

  get url(): string {
    return `https://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
