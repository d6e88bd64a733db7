// A client over TLS that knows which certificate it was shown. HTTP/1.1, one connection, raw text both ways.

import tls from "node:tls";

export class TlsClient implements AsyncDisposable {
  #text = "";
  #closed = false;
  #failure: string | null = null;
  #wake = () => {};
  readonly #gone: Promise<void>;

  private constructor(private readonly socket: tls.TLSSocket, readonly fingerprint: string) {
    this.port = socket.localPort!;
    socket.on("data", (bytes: Uint8Array) => {
      this.#text += new TextDecoder("latin1").decode(bytes);
      this.#wake();
    });
    socket.on("error", (error) => this.#failure = error.message);
    this.#gone = new Promise((resolve) =>
      socket.on("close", () => {
        this.#closed = true;
        this.#wake();
        resolve();
      })
    );
  }

  /** @throws when there is no handshake, or the certificate is not of this authority. */
  static connect(url: string, ca: string): Promise<TlsClient> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const options = {
        host: hostname,
        port: Number(port),
        servername: "app.test",
        ca,
        ALPNProtocols: ["http/1.1"],
      };
      const socket = tls.connect(options, () => {
        socket.off("error", reject);
        resolve(new TlsClient(socket, socket.getPeerCertificate().fingerprint256));
      });
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("closed during the handshake")));
    });
  }

  /** Its own port. */
  readonly port: number;

  /** Settles when the server has closed. */
  get ended(): Promise<void> {
    return this.#gone;
  }

  send(text: string): void {
    if (!this.#closed) this.socket.write(text);
  }

  /** All that came once it holds `part`. @throws when the server leaves before. */
  async until(part: string | RegExp): Promise<string> {
    while (!(typeof part === "string" ? this.#text.includes(part) : part.test(this.#text))) {
      if (this.#closed) throw new Error(`closed (${this.#failure ?? "in order"}) after: ${this.#text}`);
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.#text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.#gone;
  }
}
