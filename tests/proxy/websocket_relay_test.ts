// The relay between two scripted sides, in virtual time.

import { assertEquals } from "@std/assert";
import { type ClientSocket, CLOSING_MS_MAX } from "../../src/exchange.ts";
import type { Incoming } from "../../src/http1/frame_reader.ts";
import { type CloseWords, FrameError } from "../../src/http1/frames.ts";
import {
  type EndpointSide,
  STALLED_MS_MAX,
  TAKEN_BYTES_PER_MS_MIN,
  WebSocketRelay,
} from "../../src/proxy/websocket_relay.ts";
import { StillTime } from "../support/still_time.ts";

const LIMITS = { messageBytesMax: 100, bufferedBytesMax: 50, idleMs: 1_000 };
const TICK_MS = 10;

/** A relay that runs between a client and an endpoint that write down what they are told. */
class Stage {
  readonly time = new StillTime();
  readonly toClient: unknown[] = [];
  readonly toEndpoint: unknown[] = [];
  readonly client = {
    unsentBytes: 0,
    send: (data: string | Uint8Array) => void this.toClient.push(data),
    close: (code: number | null, reason: string) => void this.toClient.push({ code, reason }),
  } satisfies ClientSocket;
  #take: (incoming: Incoming) => Promise<void> | void = () => {};
  readonly listening = Promise.withResolvers<boolean>();
  readonly endpoint: EndpointSide & { unsentBytes: number } = {
    unsentBytes: 0,
    listen: (take) => {
      this.#take = take;
      return this.listening.promise;
    },
    send: (data: string | Uint8Array) => void this.toEndpoint.push(data),
    close: (words: CloseWords | null) => void this.toEndpoint.push(words),
    drop: () => {
      this.toEndpoint.push("dropped");
      this.listening.resolve(false);
    },
  };
  readonly relay = new WebSocketRelay(this.endpoint, LIMITS, {
    wheel: this.time.wheel,
    now: () => this.time.now,
  });
  readonly over = this.relay.run(this.client);

  says(incoming: Incoming): Promise<void> {
    return Promise.resolve(this.#take(incoming));
  }

  text(text: string): Promise<void> {
    return this.says({ kind: "text", text, bytes: text.length });
  }
}

Deno.test("WebSocketRelay passes messages both ways and counts their bytes", async () => {
  const stage = new Stage();
  stage.relay.onMessage("é€😀");
  stage.relay.onMessage(new Uint8Array(3));
  await stage.text("back");
  assertEquals([stage.toEndpoint, stage.toClient], [["é€😀", new Uint8Array(3)], ["back"]]);
  assertEquals([stage.relay.bytesIn, stage.relay.bytesOut], [9 + 3, 4]);
});

Deno.test("WebSocketRelay holds the endpoint back until a slow client has room", async () => {
  const stage = new Stage();
  stage.client.unsentBytes = 45;
  let passed = false;
  const passing = stage.text("0123456789").then(() => passed = true);
  for (let i = 0; i < 5; i++) {
    await stage.time.run(LIMITS.idleMs * 0.9);
    assertEquals([passed, stage.relay.ended], [false, null]);
    stage.client.unsentBytes--;
  }
  await stage.time.run(2 * TICK_MS);
  await passing;
  assertEquals(stage.toClient, ["0123456789"]);
});

Deno.test("WebSocketRelay that has ended while a slow client takes what waits waits for nothing any more", async () => {
  const stage = new Stage();
  stage.client.unsentBytes = 45;
  const passing = stage.text("0123456789");
  stage.relay.onClosed(1000, "");
  stage.listening.resolve(true);
  await stage.over;
  stage.client.unsentBytes = 0;
  await stage.time.run(2 * TICK_MS);
  await passing;
  assertEquals([stage.toClient, stage.time.ticking], [[], false]);
});

Deno.test("WebSocketRelay closes a client that takes nothing of a full buffer with 1013", async () => {
  const stage = new Stage();
  stage.client.unsentBytes = 45;
  const passing = stage.text("0123456789");
  for (let ms = 0; ms < STALLED_MS_MAX; ms += LIMITS.idleMs / 2) {
    stage.relay.onMessage("still here");
    assertEquals(stage.relay.ended, null);
    await stage.time.run(LIMITS.idleMs / 2);
  }
  await stage.time.run(2 * TICK_MS);
  await passing;
  const words = { code: 1013, reason: "reads too slowly" };
  assertEquals([stage.toClient, stage.toEndpoint.at(-1)], [[words], words]);
});

Deno.test("WebSocketRelay holds on to a slow client of which a full system buffer shows only every third", async () => {
  const stage = new Stage();
  stage.client.unsentBytes = 50;
  const passing = stage.text("0123456789");
  const thirdMs = 4_194_304 / 3 / TAKEN_BYTES_PER_MS_MIN;
  for (const unsentBytes of [49, 48, 0]) {
    for (let ms = 0; ms < thirdMs; ms += LIMITS.idleMs / 2) {
      stage.relay.onMessage("still here");
      await stage.time.run(LIMITS.idleMs / 2);
    }
    stage.client.unsentBytes = unsentBytes;
  }
  await stage.time.run(LIMITS.idleMs / 2);
  await passing;
  assertEquals([stage.relay.ended, stage.toClient], [null, ["0123456789"]]);
});

Deno.test("WebSocketRelay gives a client time for a large message, which it takes whole or not at all", async () => {
  const stage = new Stage();
  const bytes = 60_000 * TAKEN_BYTES_PER_MS_MIN;
  await stage.says({ kind: "binary", data: new Uint8Array(), bytes });
  stage.client.unsentBytes = bytes;
  const passing = stage.text("next");
  for (let ms = 0; ms < 60_000 + STALLED_MS_MAX; ms += LIMITS.idleMs / 2) {
    stage.relay.onMessage("still here");
    assertEquals(stage.relay.ended, null, `after ${ms} ms`);
    await stage.time.run(LIMITS.idleMs / 2);
  }
  await stage.time.run(2 * TICK_MS);
  await passing;
  assertEquals(stage.relay.ended?.code, 1013);
});

Deno.test("WebSocketRelay sends one message that is larger than the buffer to a client that has none", async () => {
  const stage = new Stage();
  await stage.text("x".repeat(80));
  assertEquals(stage.toClient.length, 1);
});

Deno.test("WebSocketRelay closes with 1013 at once when the endpoint does not take what a client sends", () => {
  const stage = new Stage();
  stage.endpoint.unsentBytes = 51;
  stage.relay.onMessage("one more");
  assertEquals(stage.relay.ended?.code, 1013);
});

Deno.test("WebSocketRelay closes an idle WebSocket with 1001, and any message makes it less idle", async () => {
  const stage = new Stage();
  await stage.time.run(900);
  await stage.says({ kind: "ping", data: new Uint8Array() });
  await stage.time.run(900);
  stage.relay.onMessage("a");
  await stage.time.run(900);
  assertEquals(stage.relay.ended, null);
  await stage.time.run(200);
  assertEquals(stage.relay.ended?.code, 1001);
});

Deno.test("WebSocketRelay passes nothing on once it has ended", async () => {
  const stage = new Stage();
  stage.relay.goAway();
  stage.relay.onMessage("late");
  await stage.text("late");
  const words = { code: 1001, reason: "going away" };
  assertEquals([stage.toClient, stage.toEndpoint], [[words], [words]]);
  assertEquals([stage.relay.bytesIn, stage.relay.bytesOut], [0, 0]);
});

Deno.test("WebSocketRelay gives up a message that waits for room when it ends", async () => {
  const stage = new Stage();
  stage.client.unsentBytes = 45;
  const passing = stage.text("0123456789");
  stage.relay.goAway();
  await stage.time.run(2 * TICK_MS);
  await passing;
  assertEquals([stage.toClient, stage.relay.bytesOut], [[{ code: 1001, reason: "going away" }], 0]);
});

Deno.test("WebSocketRelay waits for both sides to close, and no longer", async () => {
  const sides: readonly ((stage: Stage) => void)[] = [
    (stage) => stage.relay.onClosed(1000, ""),
    (stage) => stage.listening.reject(new Error("reset")),
  ];
  for (const order of [sides, sides.toReversed()]) {
    const stage = new Stage();
    let over = false;
    stage.over.then(() => over = true);
    stage.relay.goAway();
    for (const [at, close] of order.entries()) {
      close(stage);
      await stage.time.run(TICK_MS);
      assertEquals(over, at === 1);
    }
  }
});

Deno.test("WebSocketRelay takes messages of exactly the limits", async () => {
  const stage = new Stage();
  stage.endpoint.unsentBytes = LIMITS.bufferedBytesMax;
  stage.relay.onMessage("x".repeat(LIMITS.messageBytesMax));
  stage.client.unsentBytes = LIMITS.bufferedBytesMax - 10;
  await stage.text("0123456789");
  assertEquals([stage.relay.ended, stage.toEndpoint.length, stage.toClient.length], [null, 1, 1]);
});

Deno.test("WebSocketRelay counts text as UTF-8 does", () => {
  for (
    const text of [
      "\x7f",
      "\x80",
      "\u07ff",
      "\u0800",
      "\ud7ff",
      "\ue000",
      "\uffff",
      "\u{10000}",
      "\u{10ffff}",
    ]
  ) {
    const { relay } = new Stage();
    relay.onMessage(text);
    assertEquals(relay.bytesIn, new TextEncoder().encode(text).length, escape(text));
  }
});

Deno.test("WebSocketRelay is over a moment after its end even if neither side answers the close", async () => {
  const stage = new Stage();
  let over = false;
  stage.over.then(() => over = true);
  stage.relay.goAway();
  stage.relay.goAway();
  assertEquals(stage.toClient, [{ code: 1001, reason: "going away" }]);
  await stage.time.run(CLOSING_MS_MAX - TICK_MS);
  assertEquals(over, false);
  await stage.time.run(3 * TICK_MS);
  assertEquals(over, true);
  assertEquals(stage.toEndpoint.at(-1), "dropped");
});

Deno.test("WebSocketRelay gives an endpoint more time only while it takes what a client left", async () => {
  for (const code of [1000, null]) {
    const stage = new Stage();
    let over = false;
    stage.over.then(() => over = true);
    stage.endpoint.unsentBytes = 50;
    stage.relay.onClosed(code, "");
    await stage.time.run(CLOSING_MS_MAX + TICK_MS);
    for (const unsentBytes of [30, 10]) {
      stage.endpoint.unsentBytes = unsentBytes;
      await stage.time.run(STALLED_MS_MAX);
      assertEquals(over, false, `${unsentBytes} left`);
    }
    await stage.time.run(STALLED_MS_MAX + TICK_MS);
    assertEquals([over, stage.toEndpoint.at(-1)], [true, "dropped"]);
  }
  const stage = new Stage();
  stage.endpoint.unsentBytes = 50;
  stage.relay.goAway();
  await stage.time.run(CLOSING_MS_MAX + 3 * TICK_MS);
  assertEquals(stage.toEndpoint.at(-1), "dropped", "nobody has left");
});

Deno.test("WebSocketRelay tells each side what it may hear of the other's end", async () => {
  const endings: readonly [
    play: (stage: Stage) => void,
    toClient: unknown,
    toEndpoint: unknown,
    by: string,
  ][] = [
    [({ relay }) => relay.onClosed(3000, "bye"), undefined, { code: 3000, reason: "bye" }, "client"],
    [({ relay }) => relay.onClosed(1005, ""), undefined, { code: null, reason: "" }, "client"],
    [({ relay }) => relay.onClosed(null, ""), undefined, null, "client"],
    [
      (stage) => stage.says({ kind: "close", words: { code: null, reason: "" } }),
      { code: null, reason: "" },
      { code: null, reason: "" },
      "endpoint",
    ],
    [({ listening }) => listening.resolve(false), BROKEN, null, "endpoint"],
    [({ listening }) => listening.reject(new Error("reset")), BROKEN, null, "endpoint"],
    [
      ({ listening }) => listening.reject(new FrameError(1007, "not UTF-8")),
      BROKEN,
      { code: 1007, reason: "not UTF-8" },
      "weir",
    ],
    [({ relay }) => relay.onMessage("x".repeat(101)), TOO_LARGE, TOO_LARGE, "weir"],
    [({ listening }) => listening.reject(new FrameError(1009, "")), TOO_LARGE, TOO_LARGE, "weir"],
  ];
  for (const [play, toClient, toEndpoint, by] of endings) {
    const stage = new Stage();
    play(stage);
    await stage.time.run(TICK_MS);
    assertEquals([stage.toClient[0], stage.toEndpoint[0], stage.relay.ended?.by], [toClient, toEndpoint, by]);
    stage.listening.resolve(true);
    stage.relay.onClosed(1000, "");
    await stage.time.run(TICK_MS);
    await stage.over;
  }
});

const BROKEN = { code: 1011, reason: "the other side broke off" };
const TOO_LARGE = { code: 1009, reason: "message larger than 100 bytes" };
