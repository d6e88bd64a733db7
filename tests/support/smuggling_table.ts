// Requests that one server reads differently from another, each with a request hidden in it for whoever reads
// it the wrong way; and neighbours of theirs that everybody reads alike.

import { fromLatin1 } from "./raw_http.ts";
import type { ListenerName } from "./weir.ts";

/**
 * What must become of it. `refused`: nothing reaches the origin, and the connection ends. `skipped`: it is
 * refused, but everybody agrees where it ends, so what follows is the client's next request. Else exactly one
 * request reaches the origin, with this body.
 */
export type Fate = "refused" | "skipped" | { readonly body: string };

export interface Attack {
  readonly bytes: string;
  readonly fate: Readonly<Record<ListenerName, Fate>>;
}

/** Hidden behind most of them. */
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n";

const both = (fate: Fate) => ({ serve: fate, wire: fate });
const refused = both("refused");
const onServe = (body: string) => ({ serve: { body }, wire: "refused" as const });

/** A POST with these lines, a chunked body's end, and the smuggled request. */
const post = (lines: string, body = `0\r\n\r\n${SMUGGLED}`) =>
  `POST /attack HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n${body}`;
const get = (line: string, lines = "Host: a.test\r\n") => `${line}\r\n${lines}\r\n${SMUGGLED}`;
const LENGTH = `Content-Length: ${5 + SMUGGLED.length}\r\n`;
const CHUNKED = "Transfer-Encoding: chunked\r\n";
/** `/attack` and `text` in UTF-8, whose blanks and line breaks are each 0x100 above what they stand for. */
const hidden = (text: string) => {
  const raised = text.replace(/[ \r\n]/g, (blank) => String.fromCharCode(0x100 + blank.charCodeAt(0)));
  return fromLatin1(new TextEncoder().encode(`/attack${raised}`));
};
const chunks = (body: string) => post(CHUNKED, `${body}${SMUGGLED}`);

export const ATTACKS: Readonly<Record<string, Attack>> = {
  "a length, then chunked": { bytes: post(LENGTH + CHUNKED), fate: refused },
  "chunked, then a length": { bytes: post(CHUNKED + LENGTH), fate: refused },
  "chunked and no length at all": { bytes: post(`${CHUNKED}Content-Length:\r\n`), fate: refused },
  "two lengths": { bytes: post(`Content-Length: 5\r\n${LENGTH}`), fate: refused },
  "two lengths on one line": { bytes: post(`Content-Length: 5, ${5 + SMUGGLED.length}\r\n`), fate: refused },
  "a length with a plus": { bytes: post("Content-Length: +5\r\n"), fate: refused },
  "a length below zero": { bytes: post("Content-Length: -1\r\n"), fate: refused },
  "a length in hex": { bytes: post("Content-Length: 0x5\r\n"), fate: refused },
  "a length with a fraction": { bytes: post("Content-Length: 5.0\r\n"), fate: refused },
  "a length with a space in it": { bytes: post("Content-Length: 5 5\r\n"), fate: refused },
  "a length beyond counting": { bytes: post("Content-Length: 99999999999999999999\r\n"), fate: refused },
  "a coding that looks like chunked": { bytes: post("Transfer-Encoding: xchunked\r\n"), fate: refused },
  "identity behind chunked": { bytes: post("Transfer-Encoding: chunked, identity\r\n"), fate: refused },
  "chunked twice": { bytes: post("Transfer-Encoding: chunked, chunked\r\n"), fate: refused },
  "chunked on two lines": { bytes: post(CHUNKED + CHUNKED), fate: refused },
  "another coding under chunked": {
    bytes: post("Transfer-Encoding: gzip, chunked\r\n"),
    // Deno.serve cannot close a connection.
    fate: { serve: "skipped", wire: "refused" },
  },
  "another coding on a line of its own": {
    bytes: post(`Transfer-Encoding: gzip\r\ntransfer-ENCODING: chunked\r\n`),
    fate: { serve: "skipped", wire: "refused" },
  },
  "chunked in quotes": { bytes: post('Transfer-Encoding: "chunked"\r\n'), fate: refused },
  "chunked with a parameter": { bytes: post("Transfer-Encoding: chunked;q=1\r\n"), fate: refused },
  "a vertical tab before chunked": { bytes: post("Transfer-Encoding: \x0bchunked\r\n"), fate: refused },
  "chunked behind an empty element": { bytes: post("Transfer-Encoding: ,chunked\r\n"), fate: refused },
  "no coding": { bytes: post("Transfer-Encoding:\r\n"), fate: refused },
  "chunked in HTTP/1.0": { bytes: post(CHUNKED).replace("HTTP/1.1", "HTTP/1.0"), fate: refused },
  "a space before the colon": { bytes: post("Transfer-Encoding : chunked\r\n" + LENGTH), fate: refused },
  "a tab before the colon": { bytes: post("Content-Length\t: 5\r\n"), fate: refused },
  "a folded coding": { bytes: post("Transfer-Encoding:\r\n chunked\r\n" + LENGTH), fate: refused },
  "a first line that is folded": { bytes: post(" Transfer-Encoding: chunked\r\n" + LENGTH), fate: refused },
  "a line without a colon": { bytes: post("Transfer-Encoding\r\n" + LENGTH), fate: refused },
  "a line without a name": { bytes: post(": chunked\r\n" + LENGTH), fate: refused },
  "a name with a NUL": { bytes: post("Transfer-Encoding\0: chunked\r\n" + LENGTH), fate: refused },
  "a value with a NUL": { bytes: post(`X: a\0b\r\n${LENGTH}`), fate: refused },
  "a bare CR in a value": { bytes: post(`X: a\rTransfer-Encoding: chunked\r\n${LENGTH}`), fate: refused },
  "a bare CR before a name": { bytes: post(`\rTransfer-Encoding: chunked\r\n${LENGTH}`), fate: refused },
  "a bare LF in a value": {
    bytes: `POST /attack HTTP/1.1\r\nHost: a.test\r\nX: a\nContent-Length: 2\r\n\r\nok`,
    fate: onServe("ok"),
  },
  "bare LFs alone": {
    bytes: "POST /attack HTTP/1.1\nHost: a.test\nContent-Length: 2\n\nok",
    fate: onServe("ok"),
  },
  "two Hosts": { bytes: get("GET /attack HTTP/1.1", "Host: a.test\r\nHost: b.test\r\n"), fate: refused },
  // Deno.serve puts Weir's own address in its place, so the origin reads one Host all the same.
  "no Host": { bytes: "GET /attack HTTP/1.1\r\n\r\n", fate: onServe("") },
  "two spaces in the request line": { bytes: get("GET  /attack HTTP/1.1"), fate: refused },
  "a tab in the request line": { bytes: get("GET\t/attack HTTP/1.1"), fate: refused },
  "a space in the target": { bytes: get("GET /attack /x HTTP/1.1"), fate: refused },
  "HTTP/1.2": { bytes: get("GET /attack HTTP/1.2"), fate: refused },
  "HTTP/2.0": { bytes: get("GET /attack HTTP/2.0"), fate: refused },
  "http/1.1 in lower case": { bytes: get("GET /attack http/1.1"), fate: refused },
  "HTTP/0.9": { bytes: get("GET /attack"), fate: refused },
  "DEL in the target": { bytes: get("GET /att\x7fack HTTP/1.1"), fate: refused },
  "a raw byte in the target": { bytes: get("GET /att\xe9ack HTTP/1.1"), fate: refused },
  "line breaks and spaces hidden in the low bytes of characters": {
    bytes: get(`GET ${hidden(" HTTP/1.1\r\nHost: a.test\r\n\r\nGET /hidden")} HTTP/1.1`),
    // Deno.serve cannot close a connection.
    fate: { serve: "skipped", wire: "refused" },
  },
  "a chunk size with 0x": { bytes: chunks("0x1\r\na\r\n0\r\n\r\n"), fate: refused },
  "a chunk size below zero": { bytes: chunks("-1\r\na\r\n0\r\n\r\n"), fate: refused },
  "a chunk size with a plus": { bytes: chunks("+1\r\na\r\n0\r\n\r\n"), fate: refused },
  "a chunk size beyond counting": { bytes: chunks("fffffffffffffffff\r\na\r\n0\r\n\r\n"), fate: refused },
  "no chunk size": { bytes: chunks("\r\n0\r\n\r\n"), fate: refused },
  "a chunk longer than its size": { bytes: chunks("1\r\nab\r\n0\r\n\r\n"), fate: refused },
  "a chunk line that ends in LF": { bytes: chunks("1\na\r\n0\r\n\r\n"), fate: refused },
  "a chunk that ends in LF": { bytes: chunks("1\r\na\n0\r\n\r\n"), fate: refused },
  "an extension with a bare LF": { bytes: chunks("1;x\nX: y\r\na\r\n0\r\n\r\n"), fate: refused },
  "an extension with a bare CR": { bytes: chunks("1;x\ry\r\na\r\n0\r\n\r\n"), fate: refused },
  "an extension that is none": { bytes: post(CHUNKED, "1;=\r\na\r\n0\r\n\r\n"), fate: onServe("a") },
  "an extension with an open quote": {
    bytes: post(CHUNKED, '1;a="b\r\na\r\n0\r\n\r\n'),
    fate: onServe("a"),
  },
  "a trailer that is no field": { bytes: chunks("1\r\na\r\n0\r\nno field\r\n\r\n"), fate: refused },
  "a trailer with a space before the colon": { bytes: chunks("0\r\nX : y\r\n\r\n"), fate: refused },
};

const alone = (lines: string, body: string) => post(lines, body);

/** Everybody reads these alike; they must pass, or the matrix above would prove nothing. */
export const HARMLESS: Readonly<Record<string, Attack>> = {
  "a length": { bytes: alone("Content-Length: 2\r\n", "ok"), fate: both({ body: "ok" }) },
  "chunks": { bytes: alone(CHUNKED, "1\r\no\r\n1\r\nk\r\n0\r\n\r\n"), fate: both({ body: "ok" }) },
  "chunked in another case": {
    bytes: alone("transfer-ENCODING: Chunked\r\n", "2\r\nok\r\n0\r\n\r\n"),
    fate: both({ body: "ok" }),
  },
  "chunk extensions": { bytes: alone(CHUNKED, '2;a="b;c"\r\nok\r\n0;x\r\n\r\n'), fate: both({ body: "ok" }) },
  "a size with zeros before it": {
    bytes: alone(CHUNKED, "0002\r\nok\r\n000\r\n\r\n"),
    fate: both({ body: "ok" }),
  },
  "trailers about framing": {
    bytes: alone(CHUNKED, "2\r\nok\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\n\r\n"),
    fate: onServe("ok"),
  },
  "a body that looks like a request": {
    bytes: alone(`Content-Length: ${SMUGGLED.length}\r\n`, SMUGGLED),
    fate: both({ body: SMUGGLED }),
  },
  "empty lines before the request": {
    bytes: "\r\n\r\n" + alone("Content-Length: 2\r\n", "ok"),
    fate: both({ body: "ok" }),
  },
};
