// What goes on while pods are replaced: an origin and clients of every kind of traffic, each of which says in
// words what it lost. A client comes back only when it was told to leave in the way of its protocol.

import { load } from "./load.ts";
import { RawClient, requestText } from "./raw_client.ts";
import { open } from "./websocket.ts";

const PIECES = 20;
const PIECE = new Uint8Array(16_384).fill(120);
const LONG_BYTES = PIECES * PIECE.length;
/** Between two pieces, events or messages. */
const PACE_MS = 20;

const pause = () => new Promise<void>((resolve) => setTimeout(resolve, PACE_MS));

/** Answers at once, streams for a while, or without an end, or counts what it is sent. */
export function trafficOrigin() {
  let over = false;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/socket") {
      const { socket, response } = Deno.upgradeWebSocket(request);
      let number = Number(new URL(request.url).searchParams.get("after"));
      socket.onopen = () => {
        const feed = setInterval(() => over ? socket.close(1000) : socket.send(String(++number)), PACE_MS);
        socket.onclose = () => clearInterval(feed);
      };
      return response;
    }
    if (pathname === "/events") {
      let id = Number(request.headers.get("last-event-id"));
      const body = paced(() => over ? null : new TextEncoder().encode(`id: ${++id}\ndata: x\n\n`));
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    }
    if (request.method === "POST") return new Response(String((await request.bytes()).length));
    let left = PIECES;
    return new Response(pathname === "/long" ? paced(() => left-- > 0 ? PIECE.slice() : null) : "ok");
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    /** Ends what has no end of its own. */
    finish: () => over = true,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function paced(next: () => Uint8Array<ArrayBuffer> | null): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      await pause();
      const piece = next();
      if (piece === null) controller.close();
      else controller.enqueue(piece);
    },
  });
}

/** One kind of traffic: goes on while `going()`, and returns what went wrong. */
export type Traffic = (url: string, going: () => boolean) => Promise<Tale>;

export interface Tale {
  readonly failures: readonly string[];
  /** Requests, events or messages that came through. */
  readonly served: number;
  /** Times that it was told to leave and came back. */
  readonly returns: number;
}

/** The same request again and again. @param one gives what went wrong, or how many it stands for */
function repeated(what: string, one: (url: string) => Promise<string | number>): Traffic {
  return async (url, going) => {
    const failures: string[] = [];
    let served = 0;
    while (going()) {
      const result = await one(url).catch(String);
      if (typeof result === "number") served += result;
      else failures.push(`${what}: ${result}`);
    }
    return { failures, served, returns: 0 };
  };
}

const whole = (bytes: number) => bytes === LONG_BYTES ? 1 : `${bytes} of ${LONG_BYTES} bytes`;

export const smallRequests = repeated("small", async (url) => {
  const { answers, errors } = await load(url, { requests: 100, connections: 4 });
  return answers.get(200) === 100 && errors.length === 0 ? 100 : `${[...answers]} ${errors}`;
});

/** A slow upload over a connection of its own, whose origin says what it got. */
export const uploads = repeated("upload", async (url) => {
  await using client = await RawClient.connect(url);
  await client.send(`POST /up HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${LONG_BYTES}\r\n\r\n`);
  for (let i = 0; i < PIECES; i++) {
    await client.send(PIECE);
    await pause();
  }
  return whole(Number((await client.response("POST")).text));
});

export const downloads = repeated("download", async (url) => {
  await using client = await RawClient.connect(url);
  await client.send(requestText("GET", "/long"));
  const answer = await client.response();
  return answer.ended === "clean" ? whole(answer.body.length) : "cut";
});

/** An EventSource: every event once and in order, over as many streams as it takes. */
export const eventStream: Traffic = async (url, going) => {
  const failures: string[] = [];
  let last = 0;
  let streams = 0;
  while (going()) {
    await using client = await RawClient.connect(url);
    await client.send(requestText("GET", "/events", [["Last-Event-ID", String(last)]]));
    const { ended, status, text } = await client.response();
    const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    streams++;
    if (ended !== "clean" || !text.endsWith("\n\n")) {
      failures.push(`events: stream ${streams} ended ${ended}`);
    }
    if (status !== 200 || ids.length === 0) failures.push(`events: came back to ${status} and nothing`);
    for (const id of ids) if (id !== ++last) failures.push(`events: ${id} instead of ${last}`);
  }
  return { failures, served: last, returns: streams - 1 };
};

/** Someone who follows over a WebSocket: every message once and in order, over as many sockets as it takes. */
export const webSocketFeed: Traffic = async (url, going) => {
  const failures: string[] = [];
  let last = 0;
  let sockets = 0;
  while (going()) {
    await using client = await RawClient.connect(url);
    const peer = await open(client, `/socket?after=${last}`);
    sockets++;
    const before = last;
    let next = await peer.next();
    for (; next?.kind === "text"; next = await peer.next()) {
      if (Number(next.text) !== ++last) failures.push(`socket ${sockets}: ${next.text} instead of ${last}`);
    }
    const code = next?.kind === "close" ? next.words.code : "nothing";
    await peer.close(1001);
    if (code !== (going() ? 1001 : 1000)) failures.push(`socket ${sockets}: ended with ${code}`);
    if (last === before) failures.push(`socket ${sockets}: came back to nothing`);
  }
  return { failures, served: last, returns: sockets - 1 };
};
