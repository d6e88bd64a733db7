// What is spoken after a 101 that is no WebSocket: a step for the scripted origin.

import type { Stage, Step } from "./origin_steps.ts";
import { fromLatin1, latin1 } from "./raw_http.ts";
import { requestText } from "./raw_client.ts";

/** The origin's side of a raw tunnel, in latin-1 text. */
export interface OriginSide {
  /** What comes next; null once the peer sends no more. */
  some(): Promise<string | null>;
  /** False when the peer was gone before. */
  send(text: string): Promise<boolean>;
  closeWrite(): Promise<void>;
}

/** Answers 101 with this protocol, then plays its side; the connection closes when that has returned. */
export function switchTo(protocol: string, play: (side: OriginSide) => Promise<unknown>, more = ""): Step {
  return {
    async play({ socket, some }: Stage) {
      const lines = `Upgrade: ${protocol}\r\nConnection: Upgrade\r\n${more}`;
      await socket.write(latin1(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`));
      await play({
        some: async () => {
          const bytes = await some();
          return bytes === null ? null : fromLatin1(bytes);
        },
        send: (text) => socket.write(latin1(text)),
        closeWrite: () => socket.closeWrite(),
      });
      await socket.close();
    },
  };
}

/** A request that would rather speak this. */
export function askFor(protocol: string): string {
  return requestText("GET", "/", [["Connection", "Upgrade"], ["Upgrade", protocol]]);
}
