// The groups of endpoints that policies are compared on: one difficulty each.

import { exponential, pareto } from "./chance.ts";

export interface EndpointPlan {
  readonly weight: number;
  /** Requests that it works on at once; more wait in its queue. */
  readonly concurrency: number;
  /** Milliseconds of work for one request. */
  readonly workMs: (random: () => number) => number;
  /** Answers with a gateway failure. */
  readonly fails: boolean;
  /** Share of the run after which it joins; 0: there from the start. */
  readonly joinsAfter: number;
}

export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly endpoints: readonly EndpointPlan[];
  readonly requestsPerSecond: number;
}

const ORDINARY: EndpointPlan = {
  weight: 1,
  concurrency: 16,
  workMs: (random) => exponential(random, 10),
  fails: false,
  joinsAfter: 0,
};

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "equal",
    about: "ten alike, 10 ms each",
    endpoints: times(10, ORDINARY),
    requestsPerSecond: 1_000,
  },
  {
    name: "one-slow",
    about: "one of ten takes 100 ms",
    endpoints: [{ ...ORDINARY, workMs: (random) => exponential(random, 100) }, ...times(9, ORDINARY)],
    requestsPerSecond: 1_000,
  },
  {
    name: "one-failing",
    about: "one of ten fails in 1 ms",
    endpoints: [{ ...ORDINARY, workMs: () => 1, fails: true }, ...times(9, ORDINARY)],
    requestsPerSecond: 1_000,
  },
  {
    name: "heavy-tail",
    about: "ten alike, 4 ms mostly, up to 2 s",
    endpoints: times(10, { ...ORDINARY, concurrency: 4, workMs: (random) => pareto(random, 4, 1.3, 2_000) }),
    requestsPerSecond: 1_000,
  },
  {
    name: "weights",
    about: "three with weights 1:2:4, as strong as heavy",
    endpoints: [1, 2, 4].map((weight) => ({ ...ORDINARY, weight, concurrency: 2 * weight })),
    requestsPerSecond: 1_000,
  },
  {
    name: "scale-out",
    about: "three at 83 %, seven join after a third, with slow start",
    endpoints: [
      ...times(3, { ...ORDINARY, concurrency: 4 }),
      ...times(7, { ...ORDINARY, concurrency: 4, joinsAfter: 1 / 3 }),
    ],
    requestsPerSecond: 1_000,
  },
];

function times(count: number, plan: EndpointPlan): EndpointPlan[] {
  return Array.from({ length: count }, () => plan);
}
