// A claim on an endpoint, from before the connection to the end of the body: taking it returns the giving-back.

import type { Connection } from "./connection.ts";
import { DialError, type DialLimits } from "./dial.ts";
import type { Endpoint } from "./endpoint.ts";

/** A request's claim on an endpoint. Given back once; giving back twice changes nothing. */
export class Lease {
  connection: Connection | null = null;
  /** A kept connection will not do. */
  dialsAnew = false;
  /** Whether the connection has served a request before. */
  reused = false;
  /** How long the kept connection had idled, milliseconds. */
  idleMs = 0;
  private released = false;
  /** While it dials. */
  private dialling: AbortController | null = null;

  constructor(readonly endpoint: Endpoint) {}

  /** A kept connection to send on, or null when there is none. */
  takeKept(now: number): Connection | null {
    const kept = this.dialsAnew ? null : this.endpoint.takeIdle(now);
    if (kept === null) return null;
    this.reused = true;
    this.idleMs = now - kept.idleSince;
    return this.connection = kept;
  }

  /** A new connection to send on. @throws DialError */
  async open(limits: DialLimits): Promise<Connection> {
    const abort = this.dialling = new AbortController();
    try {
      this.connection = await this.endpoint.open({ ...limits, abort });
    } finally {
      this.dialling = null;
    }
    const { connection } = this;
    if (this.released) {
      this.endpoint.closeConnection(connection);
      throw endedMeanwhile();
    }
    return connection;
  }

  /** Given back: its connection is somebody else's or nobody's. */
  get over(): boolean {
    return this.released;
  }

  /** `clean`: the exchange ended where it should, and the endpoint lets the connection live. */
  release(clean: boolean): void {
    if (this.released) return;
    this.released = true;
    this.dialling?.abort(endedMeanwhile());
    this.endpoint.giveBack(this.connection, clean);
  }
}

function endedMeanwhile(): DialError {
  return new DialError("local", "the request ended while it was connecting");
}
