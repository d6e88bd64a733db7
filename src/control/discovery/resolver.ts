// Asking DNS: the addresses of a name, and the targets of a service.
//
// Called by `dns.ts`. Deno's resolver gives one NotFound error for NXDOMAIN, SERVFAIL and an empty answer, so
// `[]` here means "none, or the resolver is in trouble", and `null` means no answer at all; what to make of
// either is decided by who asks. The system's own resolver, which is asked last unless a name server is named, tells a
// resolver in trouble apart: no answer, too, also of a service, whose name it is asked for. Answers come without a TTL.

import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { domainToASCII } from "node:url";
import type { NameServer } from "../../config/name_server.ts";
import { messageOf } from "../../error_message.ts";

/** Addresses of one name by family. */
export interface AddressAnswer {
  readonly v4: readonly string[] | null;
  readonly v6: readonly string[] | null;
  /** Why a family is null, in words. */
  readonly reason?: string;
}

/** One SRV record (RFC 2782). */
export interface ServiceTarget {
  /** Without the trailing dot, in ASCII. */
  readonly target: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

export interface Resolver {
  /** Never rejects: after the signal, what has not been answered is null. */
  addresses(name: string, signal: AbortSignal): Promise<AddressAnswer>;
  /** Empty: none, or the resolver is in trouble. @throws when there is no answer at all */
  services(name: string, signal: AbortSignal): Promise<ServiceTarget[]>;
}

/** Asks getaddrinfo. */
type SystemLookup = (name: string) => Promise<readonly LookupAddress[]>;

const systemLookup: SystemLookup = (name) => lookup(name, { all: true });

/**
 * The resolver of the system, or the one at `nameServer` and no other.
 * @param ask what tests replace
 */
export function dnsResolver(nameServer: NameServer | null, ask = systemLookup): Resolver {
  const system = (name: string, signal: AbortSignal) =>
    nameServer === null ? systemAddresses(name, signal, ask) : null;
  const options = (signal: AbortSignal) => nameServer === null ? { signal } : { signal, nameServer };
  return {
    async addresses(name, signal) {
      const [v4, v6] = await Promise.allSettled([
        Deno.resolveDns(name, "A", options(signal)),
        Deno.resolveDns(name, "AAAA", options(signal)),
      ]);
      const answer = { v4: listOf(v4), v6: listOf(v6), ...whyNull([v4, v6]) };
      const nothing = (answer.v4?.length ?? 0) + (answer.v6?.length ?? 0) === 0;
      // Names of /etc/hosts, mDNS and other sources of the system that are not DNS.
      return nothing ? await system(name, signal) ?? answer : answer;
    },
    async services(name, signal) {
      try {
        const records = await Deno.resolveDns(name, "SRV", options(signal));
        // Deno reads `xn--` for people; Host and SNI take the name as it is in DNS.
        return records.map((record) => ({
          ...record,
          target: domainToASCII(record.target.replace(/\.$/, "")),
        }));
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        const reason = (await system(name, signal))?.reason;
        if (reason !== undefined) throw new Error(reason);
        return [];
      }
    },
  };
}

function listOf(settled: PromiseSettledResult<string[]>): readonly string[] | null {
  if (settled.status === "fulfilled") return settled.value;
  return settled.reason instanceof Deno.errors.NotFound ? [] : null;
}

function whyNull(families: readonly PromiseSettledResult<string[]>[]): { reason?: string } {
  for (const settled of families) {
    if (settled.status === "rejected" && listOf(settled) === null) {
      return { reason: messageOf(settled.reason) };
    }
  }
  return {};
}

/** Through getaddrinfo, which has no time limit of its own; null when it knows nothing either. */
export async function systemAddresses(
  name: string,
  signal: AbortSignal,
  ask: SystemLookup,
): Promise<AddressAnswer | null> {
  if (signal.aborted) return null;
  const aborted = new Promise<null>((resolve) =>
    signal.addEventListener("abort", () => resolve(null), { once: true })
  );
  const found = await Promise.race([ask(name).catch((error) => error.code as unknown), aborted]);
  // A SERVFAIL, REFUSED or silence, of which Deno's own resolver makes the same as of a name that does not exist.
  if (found === "EAI_AGAIN") return { v4: null, v6: null, reason: "no answer: the resolver fails" };
  if (!Array.isArray(found)) return null;
  const family = (wanted: number) => found.filter((one) => one.family === wanted).map((one) => one.address);
  return { v4: family(4), v6: family(6) };
}
