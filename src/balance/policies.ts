// Every balancing policy by the name that the operator writes. A new one is a file next door, a line here and its name
// in `config/upstream_schema.ts`.

import type { BalanceConfig } from "../config/schema.ts";
import type { Balancer, BalancerInputs, Policy } from "./balancer.ts";
import { cheapest } from "./cheapest.ts";
import { consistentHash } from "./consistent_hash.ts";
import { leastRequest, requestsPerWeight } from "./least_request.ts";
import { peakEwma } from "./peak_ewma.ts";
import { roundRobin } from "./round_robin.ts";

type MakePolicy = (config: BalanceConfig, inputs: BalancerInputs) => Policy;

const POLICIES: Readonly<Record<BalanceConfig["policy"], MakePolicy>> = {
  round_robin: (_config, inputs) => roundRobin(inputs),
  least_request: leastRequest,
  peak_ewma: peakEwma,
  consistent_hash: consistentHash,
};

/** The balancer of one upstream in one worker. A changed configuration makes a new one. */
export function makeBalancer(config: BalanceConfig, inputs: BalancerInputs): Balancer {
  const policy = POLICIES[config.policy](config, inputs);
  return { ...policy, pickOther: (others) => cheapest(others, requestsPerWeight, 1, inputs.random) };
}
