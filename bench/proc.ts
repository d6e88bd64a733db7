// The kernel's own books on a process and everything below it: CPU time and memory, from /proc.
//
// CPU time is the sum of each thread's `schedstat` (nanoseconds); where a thread has ended in between, the
// process's `stat` (10 ms ticks, ended threads included) stands in for that process. The files are read by `find`
// and `grep`, since Deno gives /proc only to programs that may do everything. Parsing is pure; `readTree` reads.

import type { Processes } from "./processes.ts";

/** Nanoseconds per tick: USER_HZ is 100 on every Linux that Deno runs on (man 5 proc). */
const TICK_NANOS = 10_000_000;

export interface ProcessReading {
  /** CPU nanoseconds by thread id. */
  readonly threads: Map<number, number>;
  ticksNanos: number;
  rssBytes: number;
  pssBytes: number;
  readonly children: number[];
}

export interface TreeReading {
  /** By process id. */
  readonly processes: Map<number, ProcessReading>;
  /** By core: nanoseconds since boot, and those in which it was busy, with whatever. */
  readonly cores: Map<number, { readonly busyNanos: number; readonly allNanos: number }>;
}

/** Reads lines of `grep -H`: `/proc/7/task/9/schedstat:1200 30 4`. Lines of other files are passed over. */
export function parseReadings(text: string): TreeReading {
  const processes = new Map<number, ProcessReading>();
  const cores: TreeReading["cores"] = new Map();
  for (const line of text.split("\n")) {
    const core = /^\/proc\/stat:cpu(\d+) (.*)$/.exec(line);
    if (core !== null) cores.set(Number(core[1]), coreTime(core[2] ?? ""));
    const match = /^\/proc\/(\d+)\/(?:task\/(\d+)\/)?(\w+):(.*)$/.exec(line);
    if (match === null) continue;
    const [, pid = "", tid = "", file = "", content = ""] = match;
    const reading = processes.get(Number(pid)) ?? emptyReading();
    processes.set(Number(pid), reading);
    note(reading, file, tid === "" ? null : Number(tid), content);
  }
  return { processes, cores };
}

/** From ticks: user nice system idle iowait irq softirq steal. Idle and waiting for I/O is not busy. */
function coreTime(stat: string): { busyNanos: number; allNanos: number } {
  const ticks = stat.split(" ").slice(0, 8).map(Number);
  const all = ticks.reduce((total, some) => total + some, 0);
  const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0);
  return { busyNanos: (all - idle) * TICK_NANOS, allNanos: all * TICK_NANOS };
}

function emptyReading(): ProcessReading {
  return { threads: new Map(), ticksNanos: 0, rssBytes: 0, pssBytes: 0, children: [] };
}

function note(reading: ProcessReading, file: string, tid: number | null, content: string): void {
  if (file === "schedstat" && tid !== null) reading.threads.set(tid, Number(content.split(" ")[0]));
  if (file === "children") reading.children.push(...content.split(" ").filter(Boolean).map(Number));
  if (file === "stat" && tid === null) reading.ticksNanos = ticksOf(content) * TICK_NANOS;
  if (file === "smaps_rollup") {
    const size = /^(Rss|Pss):\s+(\d+) kB/.exec(content);
    if (size?.[1] === "Rss") reading.rssBytes = Number(size[2]) * 1024;
    if (size?.[1] === "Pss") reading.pssBytes = Number(size[2]) * 1024;
  }
}

/** utime + stime. The name in parentheses may hold spaces and parentheses: fields count from the last one. */
function ticksOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** CPU microseconds that the processes of `after` used since `before`. */
export function cpuMicrosBetween(before: TreeReading, after: TreeReading): number {
  let nanos = 0;
  for (const [pid, now] of after.processes) {
    const then = before.processes.get(pid) ?? emptyReading();
    const threadEnded = [...then.threads.keys()].some((tid) => !now.threads.has(tid));
    nanos += threadEnded ? now.ticksNanos - then.ticksNanos : sum(now.threads) - sum(then.threads);
  }
  return nanos / 1000;
}

/** What share of `core` went to other programs (and, on a virtual machine, to its neighbours), 0 to 1. */
export function othersShare(before: TreeReading, after: TreeReading, core: number): number {
  const [then, now] = [before.cores.get(core), after.cores.get(core)];
  if (then === undefined || now === undefined || now.allNanos === then.allNanos) return 0;
  const others = now.busyNanos - then.busyNanos - cpuMicrosBetween(before, after) * 1000;
  return Math.max(0, others) / (now.allNanos - then.allNanos);
}

function sum(threads: Map<number, number>): number {
  return threads.values().reduce((total, nanos) => total + nanos, 0);
}

export function memoryOf({ processes }: TreeReading): { rssBytes: number; pssBytes: number } {
  let rssBytes = 0, pssBytes = 0;
  for (const reading of processes.values()) {
    rssBytes += reading.rssBytes;
    pssBytes += reading.pssBytes;
  }
  return { rssBytes, pssBytes };
}

/** The books of `pids` and of all their descendants. */
export async function readTree(processes: Processes, pids: readonly number[]): Promise<TreeReading> {
  const all: TreeReading = { processes: new Map(), cores: new Map() };
  let unread = [...pids];
  while (unread.length > 0) {
    const read = parseReadings(await processes.output(findCommand(unread)));
    for (const [pid, reading] of read.processes) all.processes.set(pid, reading);
    for (const [core, time] of read.cores) all.cores.set(core, time);
    const children = read.processes.values().flatMap((reading) => reading.children);
    unread = [...children].filter((pid) => !all.processes.has(pid));
  }
  return all;
}

function findCommand(pids: readonly number[]): string[] {
  const places = pids.flatMap((pid) =>
    ["task", "stat", "smaps_rollup"].map((name) => `/proc/${pid}/${name}`)
  );
  const names = ["schedstat", "children", "stat", "smaps_rollup"].flatMap((name) => ["-o", "-name", name])
    .slice(1);
  return [
    "find",
    "/proc/stat",
    ...places,
    "-maxdepth",
    "2",
    "(",
    ...names,
    ")",
    "-exec",
    "grep",
    "-H",
    "",
    "{}",
    "+",
  ];
}
