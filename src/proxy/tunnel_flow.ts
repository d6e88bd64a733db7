// One direction of a tunnel: bytes as they come, each piece once the one before has been taken.
//
// Of a WebSocket the frames are followed, so that Weir can put a close frame of its own between two of them;
// nothing else of this direction passes behind it.

import type { Tunnel } from "../exchange.ts";
import { FrameFollower } from "../http1/frame_follower.ts";

/** One side of a tunnel: the client's or the endpoint's. */
export type TunnelSide = Tunnel;

/** How a direction ended. `parted`: told to leave, and its source agreed. */
export type FlowEnd = "ended" | "sourceBroke" | "sinkBroke" | "parted";

/** Memory for reading while little comes. */
const BYTES_SMALL = 4_096;
const BYTES_LARGE = 65_536;

export class TunnelFlow {
  /** Bytes that were taken by the sink. */
  bytes = 0;
  /** Null when the bytes are no WebSocket's. */
  readonly frames: FrameFollower | null;
  private buffer = new Uint8Array(BYTES_SMALL);
  private writing = false;
  private farewell: Uint8Array | null = null;
  /** The farewell is out. */
  private parted = false;

  constructor(
    private readonly source: TunnelSide,
    private readonly sink: TunnelSide,
    webSocket: boolean,
    /** Called when bytes have passed. */
    private readonly onPassed: () => void,
  ) {
    this.frames = webSocket ? new FrameFollower() : null;
  }

  /** Moves bytes until there are no more. Never rejects. */
  async run(): Promise<FlowEnd> {
    for (;;) {
      let count: number | null;
      try {
        count = await this.source.read(this.buffer);
      } catch {
        return "sourceBroke";
      }
      if (count === null) return await this.endSink();
      if (!await this.pass(this.buffer.subarray(0, count))) return "sinkBroke";
      if (this.parted && this.frames!.closeCode !== undefined) return "parted";
      const size = count < this.buffer.length ? BYTES_SMALL : BYTES_LARGE;
      if (this.buffer.length !== size) this.buffer = new Uint8Array(size);
    }
  }

  private async endSink(): Promise<FlowEnd> {
    try {
      if (!this.parted) await this.sink.closeWrite();
      return "ended";
    } catch {
      return "sinkBroke";
    }
  }

  /** Sends on what may pass; false when the sink is gone. */
  private async pass(bytes: Uint8Array): Promise<boolean> {
    const { frames } = this;
    if (this.parted) {
      frames!.follow(bytes);
      return true;
    }
    let passing = bytes.length;
    if (this.farewell !== null) passing = frames!.followFrame(bytes);
    else frames?.follow(bytes);
    if (!await this.send(bytes.subarray(0, passing))) return false;
    this.onPassed();
    this.part();
    frames?.follow(bytes.subarray(passing));
    return true;
  }

  private async send(bytes: Uint8Array): Promise<boolean> {
    this.writing = true;
    try {
      await this.sink.write(bytes);
      this.bytes += bytes.length;
      return true;
    } catch {
      return false;
    } finally {
      this.writing = false;
    }
  }

  /** Sends `frame` as the last of this direction, as soon as the frame under way has passed. */
  leave(frame: Uint8Array): void {
    this.farewell = frame;
    this.part();
  }

  private part(): void {
    const { farewell, frames } = this;
    if (farewell === null || this.parted || this.writing || !frames!.between) return;
    this.parted = true;
    // Nothing may follow a close frame, not even another one (RFC 6455 5.5.1).
    if (frames!.closeCode === undefined) this.sink.write(farewell).catch(() => {});
  }
}
