// The scenarios: what the clients ask for, over how many origins, with how many connections.
//
// One row is one scenario. A row for TLS, HTTP/2 or a further listener adds a field here and its meaning in
// `contestants.ts` or `wrk.ts`; the rounds, the ratios and the report take any row. The first three are the
// seed's: 1 KB and 300 KB answers over 4 origins, 10 KB over 8.

export const PAYLOADS = { "1kb": 1024, "10kb": 10 * 1024, "300kb": 300 * 1024, "2b": 2 } as const;
export type PayloadName = keyof typeof PAYLOADS;

interface ScenarioBase {
  readonly name: string;
  readonly title: string;
  readonly origins: number;
  /** Event loops, worker processes or threads of the contestant. */
  readonly workers: number;
  /** True when the contestant has core 0 for itself; false when everything shares all cores. */
  readonly pinned: boolean;
  /** Rounds of a full run, and the length of each turn in seconds. */
  readonly rounds: number;
  readonly seconds: number;
}

export interface LoadScenario extends ScenarioBase {
  readonly kind: "load";
  readonly answer: PayloadName;
  /** Bytes that each request uploads by POST; 0 is a GET. */
  readonly uploadBytes: number;
  readonly connections: number;
  /** False: every request comes on a new connection. */
  readonly keepAlive: boolean;
}

export interface MemoryScenario extends ScenarioBase {
  readonly kind: "memory";
  readonly idleConnections: number;
}

export type Scenario = LoadScenario | MemoryScenario;

export const SEED_SCENARIOS: readonly string[] = ["1kb", "10kb", "300kb"];
/** Many short rounds: a ratio is the steadier the closer its two sides were taken. */
const SEED_ROUNDS = 9;
const OTHER_ROUNDS = 5;

export const SCENARIOS: readonly Scenario[] = [
  load("1kb", "1 KB, 4 origins", { rounds: SEED_ROUNDS }),
  load("10kb", "10 KB, 8 origins", { answer: "10kb", origins: 8, rounds: SEED_ROUNDS }),
  load("300kb", "300 KB, 4 origins", { answer: "300kb", rounds: SEED_ROUNDS }),
  load("post-1kb", "POST 1 KB", { answer: "2b", uploadBytes: 1024 }),
  load("post-1mb", "POST 1 MB", { answer: "2b", uploadBytes: 1024 * 1024 }),
  load("c16", "1 KB, 16 connections", { connections: 16 }),
  load("c512", "1 KB, 512 connections", { connections: 512 }),
  load("c4096", "1 KB, 4,096 connections", { connections: 4096, seconds: 5 }),
  load("connect", "1 KB, a new connection per request", { keepAlive: false }),
  load("2cores", "1 KB, 2 workers on 2 cores", { workers: 2, pinned: false }),
  {
    kind: "memory",
    name: "memory",
    title: "Memory, idle and with 1,000 idle connections",
    origins: 4,
    workers: 1,
    pinned: true,
    rounds: 3,
    seconds: 7,
    idleConnections: 1000,
  },
];

function load(name: string, title: string, difference: Partial<LoadScenario>): LoadScenario {
  return {
    kind: "load",
    name,
    title,
    origins: 4,
    workers: 1,
    pinned: true,
    rounds: OTHER_ROUNDS,
    seconds: 2,
    answer: "1kb",
    uploadBytes: 0,
    connections: 64,
    keepAlive: true,
    ...difference,
  };
}
