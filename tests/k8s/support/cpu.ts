// Processor time that a process used, from /proc, and what it served meanwhile.

/** USER_HZ of Linux: ticks of /proc are hundredths of a second. */
const TICK_MS = 10;

export interface Used {
  /** All threads but the main one. */
  readonly servingMs: number;
  readonly mainMs: number;
}

/** Since the process began. */
export function cpuOf(pid: number): Used {
  const mainMs = ticksIn(`/proc/${pid}/task/${pid}/stat`) * TICK_MS;
  return { mainMs, servingMs: ticksIn(`/proc/${pid}/stat`) * TICK_MS - mainMs };
}

function ticksIn(path: string): number {
  // The second field is the program's name in parentheses, which may hold blanks; utime and stime follow later.
  const fields = Deno.readTextFileSync(path).replace(/^.*\) /s, "").split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
