// Reads what `strace -f` writes: how many system calls stand between the marks that a guarded Weir leaves.
//
// Calls for memory and between threads are left out: they are the garbage collector's, come when it pleases,
// and have their cause in the bytes allocated, which are counted by themselves.

import { findTool, packageOf } from "../support/tools.ts";
import { MARK } from "./guarded_weir.ts";

const COLLECTORS_OWN = /^(futex|mmap|munmap|mprotect|madvise|brk|getpid|gettid|sched_\w+)$/;

/** One number for each closed pair of marks. */
export function systemCallsOf(trace: string): number[] {
  const counts: number[] = [];
  let count: number | null = null;
  for (const line of trace.split("\n")) {
    if (line.includes(MARK)) {
      if (count !== null) counts.push(count);
      count = count === null ? 0 : null;
    } else if (count !== null) {
      // `123 recvfrom(9, ...` and not `123 <... recvfrom resumed>...`, which ends a call begun before.
      const call = /^\d+ +(\w+)\(/.exec(line)?.[1];
      if (call !== undefined && !COLLECTORS_OWN.test(call)) count++;
    }
  }
  return counts;
}

/** Marks a test as ignored, and says why, where programs cannot be traced. */
export function needsTrace(): { ignore: boolean } {
  const strace = findTool("strace");
  const reason = strace === null ? `apt-get install ${packageOf.strace}` : whyNoTrace(strace);
  if (reason !== null) console.log(`ignoring tests that need strace: ${reason}`);
  return { ignore: reason !== null };
}

/** A container may forbid it. */
function whyNoTrace(strace: string): string | null {
  const { success, stderr } = new Deno.Command(strace, { args: ["-f", "-o", "/dev/null", "true"] })
    .outputSync();
  return success ? null : new TextDecoder().decode(stderr).trim();
}
