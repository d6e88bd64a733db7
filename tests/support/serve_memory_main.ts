// Where Deno.serve listens, uses the same memory again and again, and prints how many pages the system had to give anew,
// and how many were used: about as many where freed memory goes back.

import { free } from "../../src/http1/buffers.ts";
import { serve } from "../../src/listener/serve.ts";
import { listenOptions } from "./listen_options.ts";

const PIECE_BYTES = 300_000;
const PAGE_BYTES = 4_096;
const PIECES = 20;
const ROUNDS = 50;

/** Faults that needed no disk: `minflt` of proc_pid_stat(5). */
function faults(): number {
  const [, fields] = Deno.readTextFileSync("/proc/self/stat").split(") ");
  return Number(fields!.split(" ")[7]);
}

function useOnce(): void {
  const pieces = Array.from({ length: PIECES }, () => new Uint8Array(PIECE_BYTES).fill(1));
  pieces.forEach(free);
}

const listener = serve(listenOptions("serve"));
useOnce();
const before = faults();
for (let round = 0; round < ROUNDS; round++) useOnce();
console.log(faults() - before, ROUNDS * PIECES * Math.floor(PIECE_BYTES / PAGE_BYTES));
listener.abort();
