// The scenarios: what the clients ask for, over how many origins, with how many connections, and who takes part.
//
// One row is one scenario. A new kind of traffic adds a field here and its meaning in `load.ts`; the rounds, the
// ratios and the report take any row. The first three are the seed's: 1 KB and 300 KB answers over 4 origins,
// 10 KB over 8. Everyone takes part in them, the peers with a first configuration and tuned; in the others the
// peers are tuned, or a full run would take an hour.

import type { ContestantName } from "./contestant_name.ts";

export const PAYLOADS = { "1kb": 1024, "10kb": 10 * 1024, "300kb": 300 * 1024, "2b": 2 } as const;
export type PayloadName = keyof typeof PAYLOADS;

interface ScenarioBase {
  readonly name: string;
  readonly title: string;
  /** Who takes part; null for all. */
  readonly field: readonly ContestantName[] | null;
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
  /** HTTP/1.1 on plain TCP; HTTP/1.1 over TLS; HTTP/2 over TLS. */
  readonly protocol: "http" | "https" | "h2";
  /** Keep-alive connections that were served once and stay open, silent, beside the load. */
  readonly idleConnections: number;
  /** Clients beside the load that take all the time they can over head, body or answer. */
  readonly slowClients: number;
}

export interface MemoryScenario extends ScenarioBase {
  readonly kind: "memory";
  readonly idleConnections: number;
}

export type Scenario = LoadScenario | MemoryScenario;

export const SEED_SCENARIOS: readonly string[] = ["1kb", "10kb", "300kb"];
/** Many short rounds: a ratio is the steadier the closer its two sides were taken. */
const SEED_ROUNDS = 9;
const OTHER_ROUNDS = 3;

const CORE: readonly ContestantName[] = ["weir", "weir-wire", "nginx-tuned", "haproxy-tuned"];
const MAIN: readonly ContestantName[] = [...CORE, "caddy-tuned", "fetch", "floor"];
const WITH_AND_WITHOUT_LOG: readonly ContestantName[] = ["weir", "weir-log", "weir-wire", "weir-wire-log"];

const seed = { rounds: SEED_ROUNDS, field: null };

export const SCENARIOS: readonly Scenario[] = [
  load("1kb", "1 KB, 4 origins", seed),
  load("10kb", "10 KB, 8 origins", { ...seed, answer: "10kb", origins: 8 }),
  load("300kb", "300 KB, 4 origins", { ...seed, answer: "300kb" }),
  load("post-1kb", "POST 1 KB", { answer: "2b", uploadBytes: 1024 }),
  load("post-1mb", "POST 1 MB", { answer: "2b", uploadBytes: 1024 * 1024 }),
  load("c16", "1 KB, 16 connections", { connections: 16, field: CORE }),
  load("c512", "1 KB, 512 connections", { connections: 512, field: CORE }),
  load("c4096", "1 KB, 4,096 connections", { connections: 4096, seconds: 2, field: CORE }),
  load("connect", "1 KB, a new connection per request", { keepAlive: false }),
  load("2cores", "1 KB, 2 workers on 2 cores", { workers: 2, pinned: false, field: CORE }),
  load("tls", "1 KB over TLS", { protocol: "https" }),
  load("tls-connect", "1 KB, a new TLS connection per request", {
    protocol: "https",
    keepAlive: false,
    field: CORE,
  }),
  load("h2", "1 KB over HTTP/2", { protocol: "h2" }),
  load("log", "1 KB, access log on and off", { field: WITH_AND_WITHOUT_LOG, rounds: 5 }),
  load("slow", "1 KB beside 1,000 slow clients", {
    slowClients: 1000,
    seconds: 2,
    rounds: 2,
    field: CORE,
  }),
  load("idle-10k", "1 KB, 1,000 connections beside 10,000 idle ones", {
    connections: 1000,
    idleConnections: 10_000,
    seconds: 2,
    rounds: 2,
    field: CORE,
  }),
  {
    kind: "memory",
    name: "memory",
    title: "Memory, idle and with 1,000 idle connections",
    field: [...CORE, "caddy-tuned", "fetch"],
    origins: 4,
    workers: 1,
    pinned: true,
    rounds: 2,
    seconds: 8,
    idleConnections: 1000,
  },
];

function load(name: string, title: string, difference: Partial<LoadScenario>): LoadScenario {
  return {
    kind: "load",
    name,
    title,
    field: MAIN,
    origins: 4,
    workers: 1,
    pinned: true,
    rounds: OTHER_ROUNDS,
    seconds: 1,
    answer: "1kb",
    uploadBytes: 0,
    connections: 64,
    keepAlive: true,
    protocol: "http",
    idleConnections: 0,
    slowClients: 0,
    ...difference,
  };
}

/** `http://127.0.0.1:8080` or the same with `https`. */
export function baseUrl(scenario: Scenario, port: number): string {
  return `${isSecure(scenario) ? "https" : "http"}://127.0.0.1:${port}`;
}

/** Does it need a certificate? */
export function isSecure(scenario: Scenario): boolean {
  return scenario.kind === "load" && scenario.protocol !== "http";
}

/** Programs beside the contestants' that a scenario needs. */
export function programsOf(scenario: Scenario): string[] {
  if (scenario.kind === "memory") return [];
  return [
    scenario.protocol === "h2" ? "h2load" : "wrk",
    ...(isSecure(scenario) ? ["openssl"] : []),
    ...(scenario.slowClients > 0 ? ["slowhttptest"] : []),
  ];
}
