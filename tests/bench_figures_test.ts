// The benchmark's arithmetic: medians, spreads, ratios, and what the kernel's and wrk's output amount to.

import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { cpuMicrosBetween, memoryOf, othersShare, parseReadings } from "../bench/proc.ts";
import { parseH2loadLog, parseH2loadOutput } from "../bench/h2load.ts";
import { orderOfRound } from "../bench/rounds.ts";
import { median, ratioSpread, spread } from "../bench/statistics.ts";
import { parseWrkOutput } from "../bench/wrk.ts";

Deno.test("median() is the middle value, or the mean of the two middle ones", () => {
  assertEquals(median([9, 1, 5]), 5);
  assertEquals(median([4, 1, 3, 2]), 2.5);
  assertEquals(median([7]), 7);
  assertEquals(median([]), NaN);
});

Deno.test("spread() of no values is null, since nothing was measured", () => {
  assertEquals(spread([]), null);
  assertEquals(spread([3, 1, 2]), { median: 2, min: 1, max: 3 });
});

Deno.test("ratioSpread() pairs figures of the same round before it takes the median", () => {
  // In round 2 the machine runs at half speed: both figures double, and the ratio stays.
  assertEquals(ratioSpread([10, 24, 12], [10, 20, 10]), { median: 1.2, min: 1, max: 1.2 });
});

Deno.test("ratioSpread() leaves out a round that either side has no figure for", () => {
  assertEquals(ratioSpread([10, undefined, 30], [10, 10, 20]), { median: 1.25, min: 1, max: 1.5 });
  assertEquals(ratioSpread([10], [undefined]), null);
  assertEquals(ratioSpread([10], [0]), null);
});

Deno.test("orderOfRound() lets each contestant go first in turn, and turns the neighbours round", () => {
  assertEquals([0, 1, 2, 3].map((round) => orderOfRound(round, 3)), [[0, 1, 2], [1, 0, 2], [2, 0, 1], [
    0,
    2,
    1,
  ]]);
  assertEquals(orderOfRound(5, 1), [0]);
});

const READING = `/proc/7/task/7/schedstat:5000000 30 4
/proc/7/task/8/schedstat:2000000 30 4
/proc/7/task/7/children:9 12 
/proc/7/task/7/stat:7 (deno) S 1 1 1 0 -1 0 0 0 0 0 99 99 0 0 20 0
/proc/7/stat:7 (a) b) c) S 1 1 1 0 -1 0 0 0 0 0 3 4 0 0 20 0
/proc/7/smaps_rollup:55643cd8e000-7fff879d6000 ---p 00000000 00:00 0    [rollup]
/proc/7/smaps_rollup:Rss:                2048 kB
/proc/7/smaps_rollup:Pss:                1024 kB
/proc/7/smaps_rollup:Pss_Dirty:           112 kB
`;

Deno.test("parseReadings() reads threads, ticks, memory and children of a process", () => {
  const reading = parseReadings(READING).processes.get(7);
  assertEquals([...reading?.threads ?? []], [[7, 5_000_000], [8, 2_000_000]]);
  assertEquals(reading?.children, [9, 12]);
  assertEquals(reading?.ticksNanos, 70_000_000);
  assertEquals(memoryOf(parseReadings(READING)), { rssBytes: 2 * 1024 * 1024, pssBytes: 1024 * 1024 });
});

Deno.test("cpuMicrosBetween() adds up the nanoseconds of every thread of every process", () => {
  const before = parseReadings("/proc/7/task/7/schedstat:1000 0 0\n/proc/9/task/9/schedstat:2000 0 0\n");
  const after = parseReadings(
    "/proc/7/task/7/schedstat:4000 0 0\n/proc/7/task/8/schedstat:500 0 0\n/proc/9/task/9/schedstat:2500 0 0\n",
  );
  assertAlmostEquals(cpuMicrosBetween(before, after), 4);
});

Deno.test("cpuMicrosBetween() falls back to the process's ticks when a thread has ended", () => {
  const stat = (ticks: number) => `/proc/7/stat:7 (x) S 1 1 1 0 -1 0 0 0 0 0 ${ticks} 0 0 0 20 0\n`;
  const before = parseReadings(
    `/proc/7/task/7/schedstat:0 0 0\n/proc/7/task/8/schedstat:9000 0 0\n${stat(10)}`,
  );
  const after = parseReadings(`/proc/7/task/7/schedstat:1000 0 0\n${stat(13)}`);
  assertEquals(cpuMicrosBetween(before, after), 30_000);
});

Deno.test("othersShare() is what the core did without the contestant, and never less than nothing", () => {
  const reading = (ownNanos: number, user: number, idle: number, steal: number) =>
    parseReadings(
      `/proc/stat:cpu  9 9 9 9
/proc/stat:cpu0 ${user} 0 10 ${idle} 7 0 5 ${steal} 0 0
` +
        `/proc/7/task/7/schedstat:${ownNanos} 0 0
`,
    );
  const start = reading(0, 0, 0, 0);
  // Of 200 ticks of 10 ms, 120 are busy, of which 80 are its own.
  assertAlmostEquals(othersShare(start, reading(800_000_000, 100, 80, 20), 0), 0.2);
  assertEquals(othersShare(start, reading(900_000_000, 50, 150, 0), 0), 0);
  assertEquals(othersShare(start, start, 0), 0);
});

const WRK = `Running 1s test @ http://127.0.0.1:1/1kb
  1 threads and 64 connections
{"requests":100,"micros":1000000,"bytes":120000,"p50":1500,"p99":2000,"p999":3500,"connect":0,"read":0,"write":0,"status":0,"timeout":0}
`;

Deno.test("parseWrkOutput() finds the report among wrk's own lines", () => {
  const report = parseWrkOutput(WRK, 1024);
  assertEquals(report, { requests: 100, seconds: 1, p50Ms: 1.5, p99Ms: 2, p999Ms: 3.5, faults: [] });
});

Deno.test("parseWrkOutput() names whatever makes a run worthless", () => {
  const faults = (change: [string, string], bytes = 1024) =>
    parseWrkOutput(WRK.replace(...change), bytes).faults;
  assertEquals(faults(['"connect":0', '"connect":3']), ["3 connections refused"]);
  assertEquals(faults(['"read":0', '"read":1']), ["1 read errors"]);
  assertEquals(faults(['"status":0', '"status":7']), ["7 answers of status 400 or above"]);
  assertEquals(faults(['"timeout":0', '"timeout":2']), ["2 answers later than 10 s"]);
  assertEquals(faults(['"requests":100', '"requests":0']), ["no answer at all"]);
  assertEquals(faults(["", ""], 10240), ["answers shorter than the payload"]);
});

Deno.test("parseWrkOutput() refuses output without a report", () => {
  assertThrows(() => parseWrkOutput("unable to connect to 127.0.0.1:1", 1), Error, "unable to connect");
});

const H2LOAD = `Application protocol: h2
requests: 100 total, 108 started, 100 done, 100 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 100 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 101KB (103424) total, 1KB (1024) headers (space savings 90.48%), 100KB (102400) data
`;

Deno.test("parseH2loadOutput() takes percentiles from the log of answers", () => {
  const micros = parseH2loadLog("7\t200\t3000\n8\t200\t1000\n9\t200\t2000\n");
  assertEquals(micros, [3000, 1000, 2000]);
  const report = parseH2loadOutput(H2LOAD, micros, 2, 1024);
  assertEquals(report, { requests: 100, seconds: 2, p50Ms: 2, p99Ms: 3, p999Ms: 3, faults: [] });
});

Deno.test("parseH2loadOutput() names whatever makes a run worthless", () => {
  const faults = (change: [string, string], bytes = 1024) =>
    parseH2loadOutput(H2LOAD.replace(...change), [1], 1, bytes).faults;
  assertEquals(faults(["0 failed", "2 failed"]), ["2 answers failed"]);
  assertEquals(faults(["0 timeout", "1 timeout"]), ["1 answers late"]);
  assertEquals(faults(["100 succeeded", "97 succeeded"]), ["3 answers of another status than 2xx"]);
  assertEquals(faults(["protocol: h2", "protocol: http/1.1"]), ["not HTTP/2"]);
  assertEquals(faults(["", ""], 1025), ["answers shorter than the payload"]);
  assertThrows(() => parseH2loadOutput("no host", [], 1, 1), Error, "no host");
});
