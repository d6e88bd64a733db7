// One run of h2load: a closed loop over HTTP/2, some connections with several streams each.
//
// As with wrk, a run counts only when it is clean: everything asked was answered with 2xx, over HTTP/2, in full.
// Latencies come from its log, a line for each answer.

import type { LoadReport } from "./load_report.ts";
import type { Processes } from "./processes.ts";
import { baseUrl, type LoadScenario, PAYLOADS } from "./scenarios.ts";

/** As a browser does, streams share a connection; connections times streams is the scenario's number. */
const STREAMS = 8;

export async function runH2load(
  processes: Processes,
  scenario: LoadScenario,
  port: number,
  seconds: number,
  log: string,
): Promise<LoadReport> {
  await Deno.remove(log).catch(() => {});
  const clients = Math.max(1, Math.round(scenario.connections / STREAMS));
  const { stdout, stderr } = await processes.run(
    ["h2load", `-c${clients}`, `-m${STREAMS}`, `-D${seconds}`, `--log-file=${log}`].concat(
      `${baseUrl(scenario, port)}/${scenario.answer}`,
    ),
  );
  const micros = parseH2loadLog(await Deno.readTextFile(log).catch(() => ""));
  return parseH2loadOutput(stdout + stderr, micros, seconds, PAYLOADS[scenario.answer]);
}

/** Microseconds to the last byte of each answer, from lines of `start status duration`. */
export function parseH2loadLog(log: string): number[] {
  return log.split("\n").filter(Boolean).map((line) => Number(line.split("\t")[2]));
}

/** @throws when it reported nothing. */
export function parseH2loadOutput(
  output: string,
  micros: readonly number[],
  seconds: number,
  answerBytes: number,
): LoadReport {
  const counts = /(\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(output);
  if (counts === null) throw new Error(`h2load reported nothing: ${output.trim() || "no output"}`);
  const [done = 0, succeeded = 0, failed = 0, errored = 0, timeout = 0] = counts.slice(1).map(Number);
  const dataBytes = Number(/\((\d+)\) data/.exec(output)?.[1] ?? 0);
  const faults: string[] = [];
  for (const [count, words] of [[failed, "failed"], [errored, "broken"], [timeout, "late"]] as const) {
    if (count > 0) faults.push(`${count} answers ${words}`);
  }
  if (done === 0) faults.push("no answer at all");
  if (succeeded < done) faults.push(`${done - succeeded} answers of another status than 2xx`);
  if (!/Application protocol: h2\b/.test(output)) faults.push("not HTTP/2");
  if (dataBytes < done * answerBytes) faults.push("answers shorter than the payload");
  const sorted = micros.toSorted((a, b) => a - b);
  const percentile = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN) / 1000;
  return {
    requests: done,
    seconds,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    p999Ms: percentile(0.999),
    faults,
  };
}
