// What is held to be the addresses of one name, in view of what its resolver says from time to time.
//
// Pure: `dns.ts` keeps one per name. A family (IPv4, IPv6) that gives addresses is believed at once. One that
// gives no answer keeps what it had. One that answers with nothing may mean it or be a SERVFAIL, which look
// the same: it keeps what it had until it has said so several times while the other family answers.

import type { AddressAnswer } from "./resolver.ts";

/** A family whose addresses are gone is believed after so many answers in a row without any. */
export const EMPTY_ANSWERS_BELIEVED = 3;

interface Family {
  addresses: readonly string[];
  emptyAnswers: number;
}

export class NameMemory {
  private readonly v4: Family;
  private readonly v6: Family;

  /** @param before what it knows is known here, too; each goes on by what it is told itself */
  constructor(before?: NameMemory) {
    this.v4 = before === undefined ? { addresses: [], emptyAnswers: 0 } : { ...before.v4 };
    this.v6 = before === undefined ? { addresses: [], emptyAnswers: 0 } : { ...before.v6 };
  }

  /** Sorted, each address once. */
  get addresses(): string[] {
    return [...new Set([...this.v4.addresses, ...this.v6.addresses])].sort();
  }

  /** Takes an answer in; what is wrong with it, in words, or null. */
  learn(answer: AddressAnswer): string | null {
    const found = (answer.v4?.length ?? 0) + (answer.v6?.length ?? 0);
    const complete = answer.v4 !== null && answer.v6 !== null;
    if (found === 0) {
      return complete
        ? "no address: the name does not exist, has none, or its resolver fails"
        : answer.reason ?? "no answer";
    }
    learnFamily(this.v4, answer.v4);
    learnFamily(this.v6, answer.v6);
    if (complete) return null;
    return `${answer.v4 === null ? "IPv4" : "IPv6"}: ${answer.reason ?? "no answer"}`;
  }
}

function learnFamily(family: Family, answer: readonly string[] | null): void {
  if (answer === null) return;
  if (answer.length > 0) {
    family.addresses = answer;
    family.emptyAnswers = 0;
    return;
  }
  family.emptyAnswers++;
  if (family.emptyAnswers >= EMPTY_ANSWERS_BELIEVED) family.addresses = [];
}
