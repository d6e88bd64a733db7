// The lines of an answer, put where Deno.serve reads them.
//
// `Headers.append` looks at each character of a line, and at all lines before it. Those of an endpoint's answer were
// looked at when its head was read: they go into the list behind `Headers` as they are (docs/decisions/reading.md).

import { type HeaderLines, isNamed, type ResponseHead } from "../exchange.ts";
import { Known, knownHeader } from "../http1/known.ts";
import { type Lines, linesBehind } from "./serve_content.ts";

/** Where an answer ends: as its lines say, or as Deno tells of a whole body (over HTTP/1.0 it counts chunks, too). */
export type ServeFraming = "declared" | "counted" | "chunked";

/** Adds the lines of a head to an answer of `responseOf`; whether one of them asks the client to leave. */
export function addLines(
  response: Response,
  head: ResponseHead,
  framing: ServeFraming,
  http2: boolean,
): boolean {
  const { text } = head;
  const list = linesBehind(response);
  const leaving = list !== null && typeof text === "string"
    ? put(list, text, framing)
    : append(response.headers, head.headers, framing, http2);
  if (framing === "chunked" && !http2) {
    if (list === null) response.headers.append("transfer-encoding", "chunked");
    else list.push(["transfer-encoding", "chunked"]);
  }
  return leaving;
}

/** @param text see `ResponseHead`: each line is a name, a colon, one space and a value, and none is for one hop */
function put(list: Lines, text: string, framing: ServeFraming): false {
  for (let at = 0; at < text.length;) {
    const colon = text.indexOf(":", at);
    const end = text.indexOf("\r\n", colon);
    const name = text.substring(at, colon);
    if (framing !== "counted" || !isNamed(name, "content-length")) {
      list.push([name, text.substring(colon + 2, end)]);
    }
    at = end + 2;
  }
  return false;
}

function append(headers: Headers, lines: HeaderLines, framing: ServeFraming, http2: boolean): boolean {
  let leaving = false;
  let upgrades = false;
  // Appending one by one costs half of what handing over a list does.
  for (let i = 0; i < lines.length; i += 2) {
    const known = knownHeader(lines[i]!);
    if (known === Known.contentLength && framing === "counted") continue;
    if (known === Known.connection || known === Known.upgrade) {
      // RFC 9113 8.2.2: HTTP/2 has neither.
      if (http2) continue;
      if (known === Known.upgrade) upgrades = true;
      else leaving = true;
    }
    headers.append(lines[i]!, lines[i + 1]!);
  }
  // RFC 9110 7.8: who sends Upgrade names it in Connection.
  if (upgrades) headers.append("connection", "Upgrade");
  return leaving;
}
