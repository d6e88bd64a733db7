// What node:http, that is llhttp, reads in streams of bytes. Runs in Node.js: a JSON list of base64 strings on
// stdin, a JSON list of readings (see request_streams.ts) on stdout.

import { Buffer } from "node:buffer";
import http from "node:http";
import process from "node:process";
import { Duplex } from "node:stream";
import { setImmediate } from "node:timers/promises";

/** Turns of the event loop after which a connection that waits, waits for good. */
const TURNS = 6;
const AT_ONCE = 100;

async function read(bytes) {
  const messages = [];
  let refused = null;
  const server = http.createServer({ keepAliveTimeout: 0 }, (request, response) => {
    const pieces = [];
    request.on("data", (piece) => pieces.push(piece));
    request.on("end", () => {
      const { method, url, rawHeaders, rawTrailers } = request;
      const body = Buffer.concat(pieces).toString("latin1");
      messages.push({ method, target: url, headers: rawHeaders, body, trailers: rawTrailers });
      response.end();
    });
  });
  server.on("clientError", (error) => refused ??= error.code ?? String(error));
  const socket = new Duplex({
    read() {},
    write(written, _encoding, done) {
      const status = /^HTTP\/1\.1 ([45]\d\d)/.exec(String(written))?.[1];
      if (status !== undefined) refused ??= status;
      done();
    },
  });
  socket.on("close", () => refused ??= "closed");
  socket.on("error", () => {});
  server.emit("connection", socket);
  socket.push(bytes);
  for (let turn = 0; turn < TURNS; turn++) await setImmediate();
  const reading = { messages, refused };
  socket.destroy();
  return reading;
}

let input = "";
for await (const piece of process.stdin) input += piece;
const streams = JSON.parse(input);
const readings = [];
while (readings.length < streams.length) {
  const some = streams.slice(readings.length, readings.length + AT_ONCE);
  readings.push(...await Promise.all(some.map((text) => read(Buffer.from(text, "base64")))));
}
process.stdout.write(JSON.stringify(readings));
