// What the proxy would do with a request, or did with one: the same functions that traffic uses, asked
// without sending anything.

import { EndpointState } from "../board/verdicts.ts";
import { makeBalancer } from "../balance/policies.ts";
import type { RequestHead } from "../exchange.ts";
import type { Answer, CandidateExplanation, Question, RouteExplanation } from "../messages.ts";
import { explainMatch } from "../routing/explain.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { Group, Proxy } from "./proxy.ts";

/** Answers a question of the admin server. */
export function explain(question: Question, proxy: Proxy): Answer {
  if (question.kind === "explainId") return proxy.stories.find(question.requestId);
  const head: RequestHead = {
    method: question.method,
    target: question.target,
    authority: question.authority,
    scheme: "http",
    version: "1.1",
    headers: [...question.headers],
  };
  return explainRoute(head, question.client, proxy);
}

function explainRoute(head: RequestHead, client: string, proxy: Proxy): RouteExplanation {
  const match = proxy.router.match(head);
  const reasons = explainMatch(proxy.snapshot.routes, head);
  const passedOver = reasons.routes.filter(({ chosen }) => !chosen).map(({ route, why }) => ({ route, why }));
  const nothing = { kind: "route" as const, passedOver, upstream: null, candidates: [], pick: null };
  if (match.kind !== "route") return { ...nothing, route: null, why: reasons.verdict };
  const plan = proxy.plan(match.route);
  const group = plan.ownAnswer(head) === null ? plan.peekGroup(client) : null;
  if (group === null) {
    return { ...nothing, route: match.route.name, why: "the route answers by itself" };
  }
  return {
    ...nothing,
    route: match.route.name,
    upstream: group.upstream.name,
    ...explainPick(group, head, client, proxy),
  };
}

function explainPick(group: Group, head: RequestHead, clientAddress: string, proxy: Proxy) {
  const { upstream } = group;
  const { endpoints, panic } = upstream.candidates();
  const candidates = upstream.all().map((endpoint) =>
    explainCandidate(endpoint, endpoints.includes(endpoint))
  );
  if (endpoints.length === 0) return { candidates, pick: null, why: "no endpoint may take a request: 503" };
  const { random, now } = proxy.inputs;
  const balancer = makeBalancer(upstream.snapshot.balance, { random, now, turn: () => upstream.nextTurn });
  const pick = balancer.pick(endpoints, { head, clientAddress });
  const policy = upstream.snapshot.balance.policy;
  const why = panic
    ? `${policy} over all endpoints: too few are healthy (panic)`
    : `${policy} over ${endpoints.length} of ${candidates.length} endpoints`;
  return { candidates, pick: pick.id, why };
}

function explainCandidate(endpoint: Endpoint, usable: boolean): CandidateExplanation {
  const state = stateWords(endpoint.state);
  const { costMs, atMs } = endpoint.latency();
  return {
    endpoint: endpoint.id,
    state,
    weight: endpoint.weight,
    inFlight: endpoint.inFlight(),
    latencyMs: atMs === 0 ? null : costMs,
    ...(usable ? {} : { whyNot: state === "serving" ? "a backup: primaries are there" : state }),
  };
}

/** EndpointState bits in words. */
function stateWords(state: number): string {
  const words = Object.entries(EndpointState).filter(([, bit]) => (state & bit) !== 0).map(([word]) => word);
  return words.length === 0 ? "serving" : words.join(", ");
}
