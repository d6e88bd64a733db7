// Origins by the frameworks that many Node.js applications stand on, each with the same few routes.

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { IncomingMessage, Server } from "node:http";
import { gzipSync } from "node:zlib";
import express from "express";
import fastify from "fastify";

export interface NodeOrigin extends AsyncDisposable {
  readonly url: string;
}

/** What `/text` answers, compressed for clients that accept it. */
export const TEXT = "a weir spreads a river over its whole width\n".repeat(5_000);

/** Scripts of `/page`, the last one of 10 KB; each adds one to `loaded`. */
export const SCRIPTS = 100;

const PAGE = "<!doctype html><link rel=icon href='data:,'>" +
  Array.from({ length: SCRIPTS }, (_, n) => `<script src="/script/${n}"></script>`).join("\n");

function script(number: number): string {
  return `globalThis.loaded = (globalThis.loaded ?? 0) + 1; // ${"x".repeat(number * 100)}`;
}

function compressed(request: IncomingMessage): boolean {
  return String(request.headers["accept-encoding"] ?? "").includes("gzip");
}

/** Bytes and SHA-256 of a body. */
async function digest(request: AsyncIterable<Uint8Array>): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of request) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

function seen({ headers, httpVersion }: IncomingMessage): Record<string, unknown> {
  return { version: httpVersion, proto: headers["x-forwarded-proto"], cookie: headers.cookie };
}

/** Its `/file` sends the file at `path`, in ranges too; it has a `/page` for browsers as well. */
export async function startExpress(path: string): Promise<NodeOrigin> {
  const app = express();
  // deno-lint-ignore no-explicit-any
  type Answer = any;
  app.get("/json", (request: IncomingMessage, answer: Answer) => {
    answer.cookie("first", "1").cookie("second", "2", { httpOnly: true }).json(seen(request));
  });
  app.get("/text", (request: IncomingMessage, answer: Answer) => {
    answer.vary("Accept-Encoding").type("text/plain");
    if (compressed(request)) answer.set("Content-Encoding", "gzip").send(gzipSync(TEXT));
    else answer.send(TEXT);
  });
  app.get("/file", (_: IncomingMessage, answer: Answer) => answer.sendFile(path));
  app.get("/page", (_: IncomingMessage, answer: Answer) => answer.type("html").send(PAGE));
  app.get("/script/:number", (request: { params: { number: string } }, answer: Answer) => {
    answer.type("js").set("Cache-Control", "no-store").send(script(Number(request.params.number)));
  });
  app.put("/upload", async (request: IncomingMessage, answer: Answer) => {
    answer.status(201).json(await digest(request));
  });
  const server: Server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export async function startFastify(path: string): Promise<NodeOrigin> {
  const app = fastify({ bodyLimit: 64_000_000, forceCloseConnections: true });
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  app.get("/json", (request, reply) => {
    reply.header("Set-Cookie", ["first=1; Path=/", "second=2; Path=/; HttpOnly"]).send(seen(request.raw));
  });
  app.get("/text", (request, reply) => {
    reply.header("Vary", "Accept-Encoding").type("text/plain; charset=utf-8");
    if (compressed(request.raw)) reply.header("Content-Encoding", "gzip").send(gzipSync(TEXT));
    else reply.send(TEXT);
  });
  app.get("/file", async (request, reply) => {
    const content = Buffer.from(await Deno.readFile(path));
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    reply.type("application/octet-stream").header("Accept-Ranges", "bytes");
    if (range === null) return reply.send(content);
    const [first, last] = [Number(range[1]), Number(range[2])];
    reply.code(206).header("Content-Range", `bytes ${first}-${last}/${content.length}`);
    return reply.send(content.subarray(first, last + 1));
  });
  app.put("/upload", async (request, reply) => reply.code(201).send(await digest(request.raw)));
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  return { url, [Symbol.asyncDispose]: () => app.close() };
}
