// One run of wrk: a closed loop of so many connections, each sending its next request when the answer is in.
//
// A run counts only when it is clean: wrk saw no socket error, no timeout and no status of 400 or above, and
// the bytes received are enough for every answer to be whole. Whatever is wrong is returned as faults, in words.

import type { LoadReport } from "./load_report.ts";
import type { Processes } from "./processes.ts";
import { baseUrl, type LoadScenario, PAYLOADS } from "./scenarios.ts";

const ANSWER_TIMEOUT_SECONDS = 10;

const FAULTS = [
  ["connect", "connections refused"],
  ["read", "read errors"],
  ["write", "write errors"],
  ["status", "answers of status 400 or above"],
  ["timeout", `answers later than ${ANSWER_TIMEOUT_SECONDS} s`],
] as const;

type WrkLine = Record<
  "requests" | "micros" | "bytes" | "p50" | "p99" | "p999" | (typeof FAULTS)[number][0],
  number
>;

/**
 * Reads the line that `wrk_report.lua` writes among wrk's own output.
 * @throws when there is none.
 */
export function parseWrkOutput(output: string, answerBytes: number): LoadReport {
  const line = output.split("\n").find((line) => line.startsWith('{"requests"'));
  if (line === undefined) throw new Error(`wrk reported nothing: ${output.trim() || "no output"}`);
  const report: WrkLine = JSON.parse(line);
  const faults: string[] = [];
  for (const [key, words] of FAULTS) if (report[key] > 0) faults.push(`${report[key]} ${words}`);
  if (report.requests === 0) faults.push("no answer at all");
  if (report.bytes < report.requests * answerBytes) faults.push("answers shorter than the payload");
  return {
    requests: report.requests,
    seconds: report.micros / 1e6,
    p50Ms: report.p50 / 1000,
    p99Ms: report.p99 / 1000,
    p999Ms: report.p999 / 1000,
    faults,
  };
}

export async function runWrk(
  processes: Processes,
  scenario: LoadScenario,
  port: number,
  seconds: number,
): Promise<LoadReport> {
  const script = new URL("./wrk_report.lua", import.meta.url).pathname;
  const options = [
    "-t1",
    `-c${scenario.connections}`,
    `-d${seconds}s`,
    `--timeout=${ANSWER_TIMEOUT_SECONDS}s`,
  ];
  const { stdout, stderr } = await processes.run(
    ["wrk", ...options, "-s", script, `${baseUrl(scenario, port)}/${scenario.answer}`],
    { UPLOAD_BYTES: String(scenario.uploadBytes), KEEP_ALIVE: scenario.keepAlive ? "yes" : "no" },
  );
  return parseWrkOutput(stdout + stderr, PAYLOADS[scenario.answer]);
}
