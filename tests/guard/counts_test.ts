// What an exchange costs stays at or below what is recorded in `recorded.ts`.
//
// When one of these fails, the change at hand makes every request dearer. If that is what it takes, say why in
// the commit and record anew: `deno task guard:record`. A change that makes Weir leaner records anew, too.

import { assertEquals } from "@std/assert";
import { countCalls, type Counts, countSystemCalls, lesser, SCENE_NAMES } from "./counts.ts";
import { excess } from "./limit.ts";
import { MARK } from "./guarded_weir.ts";
import { RECORDED } from "./recorded.ts";
import { needsTrace, systemCallsOf } from "./trace.ts";

const traced = needsTrace();

for (const listener of ["serve", "wire"] as const) {
  for (const scene of SCENE_NAMES) {
    const tooMuch = (counts: Counts) => excess(scene, counts, RECORDED[listener][scene]);
    const isLean = (counts: Counts) => tooMuch(counts).length === 0;

    Deno.test(`${listener} reads, writes and allocates no more than recorded for each ${scene}`, async () => {
      assertEquals(tooMuch(await countCalls(listener, scene, isLean)), []);
    });

    Deno.test({
      name: `${listener} makes no more system calls than recorded for each ${scene}`,
      ...traced,
      fn: async () => assertEquals(tooMuch(await countSystemCalls(listener, scene, isLean)), []),
    });
  }
}

Deno.test("excess() allows a tenth more bytes than recorded, half a call, and two for large bodies", () => {
  const recorded = { reads: 2, heapBytes: 1000 };
  assertEquals(excess("GET 1 KB", { reads: 2.5, heapBytes: 1164 }, recorded), []);
  assertEquals(excess("GET 300 KB", { reads: 4 }, recorded), []);
  assertEquals(excess("POST 1 KB", { reads: 2.51, heapBytes: 1165 }, recorded), [
    "2.51 reads per exchange, recorded 2",
    "1165.00 heapBytes per exchange, recorded 1000",
  ]);
  assertEquals(excess("GET 1 KB", { writes: 1 }, recorded), [
    "writes is not recorded: deno task guard:record",
  ]);
});

Deno.test("lesser() takes each figure where it is least, or where it is known", () => {
  assertEquals(lesser({ reads: 2, heapBytes: 9 }, { reads: 3, heapBytes: 8 }), { reads: 2, heapBytes: 8 });
  assertEquals(lesser({}, { systemCalls: 4 }), { systemCalls: 4 });
});

Deno.test("systemCallsOf() counts between marks, without the collector's calls, each call once", () => {
  const mark = `7 statx(AT_FDCWD, "${MARK}", AT_STATX_SYNC_AS_STAT, 0, 0x7ffd) = -1 ENOENT`;
  const trace = [
    '7 read(0, "h", 1) = 1',
    mark,
    "7 recvfrom(9, <unfinished ...>",
    "8 futex(0x7f, FUTEX_WAIT, 0, NULL <unfinished ...>",
    "7 <... recvfrom resumed>, 8192, 0, NULL, NULL) = 90",
    '7  sendto(9, "GET / HTTP/1.1"..., 90, 0, NULL, 0) = 90',
    mark,
    '7 write(1, "{}", 2) = 2',
    mark,
    "7 epoll_wait(5, [], 1024, 0) = 0",
    mark,
  ];
  assertEquals(systemCallsOf(trace.join("\n")), [2, 1]);
  assertEquals(systemCallsOf(trace.slice(0, 6).join("\n")), []);
});
