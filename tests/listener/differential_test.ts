// The wire listener beside llhttp, the parser of Node.js, over generated and disturbed requests: what llhttp
// refuses wire refuses too, and what both read to its end they read the same. Wire may be stricter, never laxer.

import { assert, assertEquals } from "@std/assert";
import { type GeneratedRequest, generateRequests } from "../support/request_mutations.ts";
import {
  type ReadMessage,
  readWithLlhttp,
  readWithWire,
  type StreamReading,
} from "../support/request_streams.ts";
import { fromLatin1 } from "../support/raw_http.ts";
import { needs } from "../support/tools.ts";

const REQUESTS = 10_000;
const SEED = 9_110;
const AT_ONCE = 100;

Deno.test({
  name: `wire refuses what llhttp refuses, and reads the rest like llhttp, in ${REQUESTS} requests`,
  ...needs("node"),
  fn: async () => {
    const requests = generateRequests(REQUESTS, SEED);
    const llhttp = await readWithLlhttp(requests.map(({ bytes }) => bytes));
    const wire = await readAllWithWire(requests);
    const differences: string[] = [];
    const counts = { alike: 0, bothRefuse: 0, stricter: 0 };
    for (const [i, { bytes }] of requests.entries()) {
      const difference = differenceOf(wire[i]!, llhttp[i]!);
      if (difference !== null) differences.push(`${difference}: ${JSON.stringify(fromLatin1(bytes))}`);
      else if (wire[i]!.refused === null) counts.alike++;
      else if (llhttp[i]!.refused === null) counts.stricter++;
      else counts.bothRefuse++;
    }
    assertEquals(differences.slice(0, 10), [], `${differences.length} differences`);
    const least = REQUESTS / 20;
    assert(Object.values(counts).every((count) => count > least), `proves little: ${JSON.stringify(counts)}`);
  },
});

async function readAllWithWire(requests: readonly GeneratedRequest[]): Promise<StreamReading[]> {
  const readings: StreamReading[] = [];
  while (readings.length < requests.length) {
    const some = requests.slice(readings.length, readings.length + AT_ONCE);
    readings.push(
      ...await Promise.all(
        some.map(({ bytes, cut }) => readWithWire([bytes.subarray(0, cut), bytes.subarray(cut)])),
      ),
    );
  }
  return readings;
}

/** What wire reads that llhttp does not, or reads otherwise; null when it keeps its promise. */
function differenceOf(wire: StreamReading, llhttp: StreamReading): string | null {
  const both = Math.min(wire.messages.length, llhttp.messages.length);
  for (let i = 0; i < both; i++) {
    const [ours, theirs] = [describe(wire.messages[i]!), describe(asOriginForm(llhttp.messages[i]!))];
    if (ours !== theirs) return `wire reads ${ours}, llhttp ${theirs}`;
  }
  const more = wire.messages[both];
  if (more !== undefined && !isUnknownMethod(more, llhttp) && !asksToUpgrade(llhttp.messages.at(-1))) {
    return `wire reads one more, llhttp ${llhttp.refused ?? "waits"}`;
  }
  if (wire.refused === null && llhttp.messages.length > both) return "wire waits, llhttp reads one more";
  return null;
}

/** RFC 9110 9.1: methods are any token, and a gateway passes those it does not know. llhttp has a list. */
function isUnknownMethod({ method }: ReadMessage, llhttp: StreamReading): boolean {
  return llhttp.refused === "HPE_INVALID_METHOD" && /^[\w!#$%&'*+.^`|~-]+$/.test(method);
}

/** RFC 9110 7.8: a server may ignore an Upgrade, and then HTTP goes on. llhttp stops reading there. */
function asksToUpgrade(message: ReadMessage | undefined): boolean {
  return message?.headers.some((name, i) => i % 2 === 0 && name.toLowerCase() === "upgrade") ?? false;
}

/** RFC 9112 3.2.2: wire takes the authority out of an absolute-form target; llhttp leaves it to the application. */
function asOriginForm(message: ReadMessage): ReadMessage {
  const rest = /^https?:\/\/[^/?#]*(.*)$/i.exec(message.target)?.[1];
  if (rest === undefined) return message;
  const empty = message.method === "OPTIONS" ? "*" : "/";
  return { ...message, target: rest === "" ? empty : rest.startsWith("/") ? rest : `/${rest}` };
}

function describe({ method, target, headers, body, trailers }: ReadMessage): string {
  return JSON.stringify([method, target, headers, body, trailers]);
}
