// What the proxy would do with a request, or did with one: the same functions that traffic uses, asked
// without sending anything.

import { stateWords } from "../board/verdicts.ts";
import type { Balancer, PickContext } from "../balance/balancer.ts";
import { hashKey } from "../balance/hash_key.ts";
import { makeBalancer } from "../balance/policies.ts";
import type { BalanceConfig } from "../config/schema.ts";
import { type HeaderLines, headerValue, type RequestHead } from "../exchange.ts";
import type { Answer, CandidateExplanation, Question, RouteExplanation, RouteSnapshot } from "../messages.ts";
import { explainMatch } from "../routing/explain.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { isForThisHop, refusalBeforeRouting } from "./acceptance.ts";
import type { Group } from "./group.ts";
import type { Proxy } from "./proxy.ts";
import { rateOf } from "./rate_limit.ts";
import type { Refusal } from "./refusal.ts";
import { ofBodyLength, OVERLOADED } from "./refusals.ts";
import { isWaitedFor, stickyEndpoint } from "./selection.ts";
import { refusalOfUpgrade, upgradeWish } from "./upgrade.ts";

/** Answers a question of the admin server. */
export function explain(question: Question, proxy: Proxy): Answer {
  if (question.kind === "explainId") return proxy.stories.find(question.requestId);
  const head: RequestHead = {
    method: question.method,
    target: question.target,
    authority: question.authority,
    scheme: proxy.inputs.scheme,
    version: "1.1",
    headers: [...question.headers],
  };
  return explainRoute(head, question.client, proxy);
}

function explainRoute(head: RequestHead, client: string, proxy: Proxy): RouteExplanation {
  const nowhere = { kind: "route" as const, route: null, upstream: null, candidates: [], pick: null };
  const before = answerBeforeRouting(head, proxy);
  if (before !== null) return { ...nowhere, passedOver: [], why: before };
  const match = proxy.router.match(head);
  const reasons = explainMatch(proxy.snapshot.routes, head, match);
  const passedOver = reasons.routes.filter(({ chosen }) => !chosen).map(({ route, why }) => ({ route, why }));
  if (match.kind !== "route") return { ...nowhere, passedOver, why: reasons.verdict };
  const limits = rateNotes(match.route);
  const found = { ...nowhere, passedOver, route: match.route.name, ...noted(limits) };
  const plan = proxy.plan(match.route);
  const tooLarge = ofBodyLength(declaredLength(head), plan.requestBodyBytesMax(proxy.snapshot.limits));
  if (tooLarge !== null) return { ...found, why: `the body is refused: ${refusalWords(tooLarge)}` };
  const own = plan.ownAnswer(head);
  if (own !== null) return { ...found, why: `the route answers by itself: ${answerWords(own)}` };
  const { inputs: { tunnels }, snapshot: { unknownUpgrade } } = proxy;
  const unwanted = refusalOfUpgrade(upgradeWish(head), tunnels, match.route.upgrade, unknownUpgrade);
  if (unwanted !== null) return { ...found, why: `the upgrade is refused: ${refusalWords(unwanted)}` };
  const group = plan.peekGroup(client);
  if (group === null) return { ...found, why: "the route's upstream is not there: 503" };
  const rewritten = plan.targetFor(head.target);
  return {
    ...found,
    upstream: group.upstream.name,
    ...noted([...limits, ...splitNotes(match.route), ...targetNotes(head.target, rewritten)]),
    ...explainPick(group, head, client, proxy),
  };
}

/** Of the body, in bytes; 0 where nothing is declared. */
function declaredLength({ headers }: RequestHead): number {
  return Number(headerValue(headers, "content-length") ?? 0);
}

function noted(notes: readonly string[]): { notes?: readonly string[] } {
  return notes.length === 0 ? {} : { notes };
}

/** That there is a rate limit, not what is left of it: to ask the limiter is to take a request in. */
function rateNotes({ rateLimit }: RouteSnapshot): string[] {
  if (rateLimit === undefined) return [];
  const { requestsPerSecond, burst } = rateOf(rateLimit);
  const key = rateLimit.key === "client_address" ? "client address" : `header ${rateLimit.key.header}`;
  return [`limits the rate to ${requestsPerSecond} a second, ${burst} at once, by ${key}: 429 beyond it`];
}

function splitNotes({ split, splitSticky }: RouteSnapshot): string[] {
  if (split === undefined) return [];
  const sides = split.map(({ upstream, weight }) => `${upstream} ${weight}`).join(", ");
  return [`splits ${sides}: by ${splitSticky ? "client address" : "turn"}`];
}

function targetNotes(target: string, rewritten: string): string[] {
  return rewritten === target ? [] : [`rewrites the target: ${rewritten}`];
}

function answerWords({ status, headers }: { status: number; headers: HeaderLines }): string {
  const location = headerValue(headers, "location");
  return location === undefined ? String(status) : `${status} to ${location}`;
}

function refusalWords({ status, message }: Refusal): string {
  return `${status}, ${message}`;
}

/** What Weir answers without looking for a route, in words; null when it looks for one. */
function answerBeforeRouting(head: RequestHead, proxy: Proxy): string | null {
  const { snapshot: { limits }, identity, inputs, admission } = proxy;
  const exchange = { head, unacceptable: inputs.headRefusal(head) };
  const refusal = admission.isFull(limits.inFlightMax)
    ? OVERLOADED
    : refusalBeforeRouting(exchange, limits, identity.pseudonym);
  if (refusal !== null) return `refused before any route is looked for: ${refusalWords(refusal)}`;
  if (isForThisHop(exchange)) return "answered by Weir itself: OPTIONS with no forwards left";
  return head.target === inputs.readyPath ? "answered by Weir itself: listen.readyPath" : null;
}

function explainPick(group: Group, head: RequestHead, clientAddress: string, proxy: Proxy) {
  const { upstream } = group;
  const { random, now } = proxy.inputs;
  const { endpoints } = upstream.candidates();
  // A balancer of its own: the turns and draws of traffic are not touched.
  const balancer = makeBalancer(upstream.snapshot.balance, { random, now, turn: () => upstream.nextTurn });
  const candidates = upstream.all().map((endpoint) => explainCandidate(endpoint, endpoints, balancer));
  const kept = stickyEndpoint(group, head);
  if (kept !== null && (!kept.isFull || isWaitedFor(kept, group) && !isQueueFull(group))) {
    // One that drains is no candidate but for those whom a cookie leads there.
    const { whyNot: _, ...picked } = explainCandidate(kept, endpoints, balancer);
    candidates[upstream.all().indexOf(kept)] = picked;
    const why = `the cookie ${upstream.snapshot.sticky!.cookie} leads there`;
    return {
      candidates,
      pick: kept.id,
      why: kept.isFull ? `${why}; it is at its limit, and waited for` : why,
    };
  }
  if (endpoints.length === 0) return { candidates, pick: null, why: "no endpoint may take a request: 503" };
  const open = endpoints.filter((endpoint) => !endpoint.isFull);
  if (open.length === 0) return { candidates, pick: null, why: whenFull(group) };
  const context = { head, clientAddress };
  const first = balancer.pick(endpoints, context);
  const pick = first.isFull ? balancer.pickOther(open) : first;
  const policy = policyWords(upstream.snapshot.balance, context);
  return {
    candidates,
    pick: pick.id,
    why: whyPicked(policy, upstream, first, pick),
  };
}

/** What comes of a request while every endpoint is at its limit, in words. */
function whenFull(group: Group): string {
  const { queueMax, queueTimeoutMs } = group.upstream.snapshot.limits;
  const full = "every endpoint is at its limit of requests";
  if (queueMax === 0) return `${full}, and none may wait: 503`;
  if (isQueueFull(group)) return `${full}, and the queue of ${queueMax} is full: 503`;
  const taken = `${group.queue.sizeInPod} of ${queueMax} places are taken`;
  return `${full}: it would wait for room, at most ${queueTimeoutMs} ms; ${taken}`;
}

function isQueueFull({ queue, upstream }: Group): boolean {
  return queue.sizeInPod >= upstream.snapshot.limits.queueMax;
}

/** The policy that decides, which for a request without what is hashed is another than the configured one. */
function policyWords({ policy, hashOn }: BalanceConfig, context: PickContext): string {
  if (policy !== "consistent_hash" || hashKey(hashOn)(context)) return policy;
  return `least_request, as the request has no ${Object.entries(hashOn).flat().join(" ")} to hash,`;
}

function whyPicked(policy: string, upstream: Upstream, first: Endpoint, pick: Endpoint): string {
  const { endpoints, panic } = upstream.candidates();
  const ignored = panic ? ", health ignored: too few are healthy (panic)" : "";
  const list = `${policy} over ${endpoints.length} of ${upstream.all().length} endpoints${ignored}`;
  return first === pick ? list : `${list}; its choice ${first.id} is at its limit, so the least loaded other`;
}

function explainCandidate(
  endpoint: Endpoint,
  usable: readonly Endpoint[],
  balancer: Balancer,
): CandidateExplanation {
  const { costMs, atMs } = endpoint.latency();
  const whyNot = whyNotUsable(endpoint, usable);
  const score = whyNot === null ? balancer.score?.(endpoint, usable) : undefined;
  return {
    endpoint: endpoint.id,
    state: stateWords(endpoint.state).join(", "),
    weight: endpoint.weight,
    inFlight: endpoint.inFlight(),
    latencyMs: atMs === 0 ? null : costMs,
    ...(score === undefined ? {} : { score }),
    ...(whyNot === null ? {} : { whyNot }),
  };
}

function whyNotUsable(endpoint: Endpoint, usable: readonly Endpoint[]): string | null {
  if (usable.includes(endpoint)) {
    return endpoint.isFull
      ? `at its limit of ${endpoint.upstream.limits.inFlightPerEndpointMax} requests`
      : null;
  }
  if (endpoint.state !== 0) return stateWords(endpoint.state).join(", ");
  return endpoint.backup ? "a backup: enough primaries serve" : "others are preferred";
}
