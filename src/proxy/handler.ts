// A request from its head to its last byte. Every branch that a request can take is taken here, and only
// here: what this file calls decides or does one thing and comes back with an answer.
//
// It holds two promises: what was claimed (a slot, a lease) is given back exactly once, at the end of the
// body, and every request ends in exactly one record, whatever happens to it.

import type { Exchange } from "../exchange.ts";
import { isForThisHop, refusalBeforeRouting } from "./acceptance.ts";
import { Forwarding } from "./forwarding.ts";
import { Journey } from "./journey.ts";
import { isTentative } from "./outcome.ts";
import type { Proxy } from "./proxy.ts";
import * as refusals from "./refusals.ts";
import { type Switching, switchingFor } from "./switching.ts";
import { refusalOfUpgrade, upgradeWish } from "./upgrade.ts";
import { wholeText } from "./whole_body.ts";

/** What becomes of a request that was let in, and that Weir does not answer whatever its route. */
export type Decide = (journey: Journey, proxy: Proxy) => void | Promise<void>;

/** Answers an exchange. Never rejects. */
export async function handle(exchange: Exchange, proxy: Proxy, decide: Decide = byRoute): Promise<void> {
  const journey = new Journey(exchange, proxy);
  const turn = proxy.inputs.turnstile.pass();
  if (turn !== null) {
    await turn;
    journey.waited = true;
  }
  journey.number = proxy.inputs.turnstile.begun;
  const slot = proxy.admission.enter(proxy.snapshot.limits.inFlightMax);
  try {
    const answered = slot === null
      ? journey.refuse(refusals.OVERLOADED)
      : answerBeforeRouting(journey, proxy) ?? decide(journey, proxy);
    // Every await costs a turn: what is over at once is not awaited.
    if (answered !== undefined) await answered;
  } catch (error) {
    await journey.fail(error);
  } finally {
    slot?.release();
    journey.end();
    if (slot !== null) proxy.exemplars.keep(journey, slot);
  }
}

/** What Weir must refuse, and what it answers itself, on whatever port; null for all else. */
function answerBeforeRouting(journey: Journey, proxy: Proxy): Promise<void> | null {
  const { exchange } = journey;
  const refusal = refusalBeforeRouting(exchange, proxy.snapshot.limits, proxy.identity.pseudonym);
  if (refusal !== null) return journey.refuse(refusal);
  if (isForThisHop(exchange)) return journey.answer(200, [], wholeText(""));
  if (exchange.head.target === proxy.inputs.readyPath) return journey.tellReady();
  return null;
}

/** Finds out whether and where the request goes. */
function byRoute(journey: Journey, proxy: Proxy): void | Promise<void> {
  const { exchange } = journey;
  const match = proxy.router.match(exchange.head);
  if (match.kind !== "route") return journey.refuse(refusals.ofNoRoute(match));
  const plan = journey.follow(match.route);
  const refusal = journey.refusalByRoute();
  if (refusal !== null) return journey.refuse(refusal);
  const answer = plan.ownAnswer(exchange.head);
  if (answer !== null) return journey.answer(answer.status, answer.headers, answer.body);

  const wish = upgradeWish(exchange.head);
  const canTunnel = exchange.upgrade !== undefined;
  const { unknownUpgrade } = proxy.snapshot;
  const upgradeRefusal = refusalOfUpgrade(wish, canTunnel, plan.route.upgrade, unknownUpgrade);
  if (upgradeRefusal !== null) return journey.refuse(upgradeRefusal);

  const group = plan.groupFor(journey.record.clientAddress);
  if (group === null) return journey.refuse(refusals.NO_ENDPOINT);
  const switching = switchingFor(wish, journey, plan);
  const forwarding = new Forwarding(journey, plan, group, switching?.handshake ?? null);
  journey.forwarding = forwarding;
  return forward(journey, forwarding, switching);
}

/** Tries endpoints until one answers or nothing more may be tried. */
async function forward(
  journey: Journey,
  forwarding: Forwarding,
  switching: Switching | null,
): Promise<void> {
  while (!journey.exchange.clientGone) {
    let lease = forwarding.lease();
    if (lease === "full") lease = await forwarding.waitForLease();
    if (lease === "clientGone") return;
    if (typeof lease === "string") return await journey.refuse(refusals.ofNoLease(lease));
    const outcome = await forwarding.attempt(lease);
    forwarding.report(outcome);
    switch (outcome.kind) {
      case "response": {
        if (isTentative(outcome.head, lease.reused) && await forwarding.triesAgain(outcome)) break;
        if (outcome.head.status > (journey.exchange.statusMax ?? Infinity)) {
          forwarding.discard(outcome);
          return await journey.refuse(refusals.UNKNOWN_STATUS);
        }
        const sending = forwarding.relay(outcome.head, outcome.body);
        return forwarding.delivered(sending instanceof Promise ? await sending : sending);
      }
      case "switched":
        return await switching!.relay(forwarding, outcome);
      case "clientGone":
        return;
      case "badRequestBody":
        return await journey.refuse(refusals.ofRequestBody(outcome.cause, forwarding.bodyBytesMax));
      default:
        if (await forwarding.triesAgain(outcome)) break;
        return await journey.refuse(refusals.ofFailure(outcome));
    }
  }
}
