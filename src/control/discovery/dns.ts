// Endpoints behind a DNS name, resolved again and again: A and AAAA, or SRV for a service name.
//
// A first look goes on for a while as long as nobody answers; an answer without addresses, as for a mistyped name, ends it.
// What DNS fails to say changes nothing: on NXDOMAIN, SERVFAIL, an empty answer or silence the last good
// answer stays, and that it does is reported once, and once more when it is over. Of SRV records those of the
// lowest priority are primaries and the others backups, each with its weight (RFC 2782).

import { addressId, type DnsAddress } from "../../config/endpoint_url.ts";
import type { DiscoveryConfig } from "../../config/schema.ts";
import { messageOf } from "../../error_message.ts";
import { type Cancel, type Clock, jittered } from "../clock.ts";
import {
  type DiscoveredEndpoint,
  discoveredEndpoint,
  type Discovery,
  type DiscoveryEvents,
  type DiscoveryStatus,
  FIRST_LOOK_MS_MAX,
  mergeEndpoints,
  sameEndpoints,
} from "./discovery.ts";
import { NameMemory } from "./name_memory.ts";
import type { Resolver, ServiceTarget } from "./resolver.ts";

/**
 * A name that has given no address yet is asked again so soon, and then twice as late each time, up to the interval: a pod
 * that starts may be a moment before its network or its Service, and answers 503 without endpoints.
 */
const FIRST_PAUSE_MS = 500;

export interface DnsInputs {
  readonly clock: Clock;
  readonly resolver: Resolver;
  readonly events: DiscoveryEvents;
}

export class DnsDiscovery implements Discovery {
  readonly settled: Promise<void>;
  private readonly source: string;
  private readonly names: Map<string, NameMemory>;
  /** The last SRV answer that led to an address. */
  private targets: readonly ServiceTarget[];
  private published: readonly DiscoveredEndpoint[] = [];
  private endpoints: number;
  private problem: string | null;
  private failingSince: number | null;
  private answeredAt: number | null;
  private publish: (endpoints: readonly DiscoveredEndpoint[]) => void = () => {};
  private settle!: () => void;
  private cancelNext: Cancel = () => {};
  private running: Promise<void> = Promise.resolve();
  private abort: AbortController | null = null;
  private stopped = false;
  /** Looks that found nothing, before any did. */
  private vainLooks = 0;
  /** A question of the last look was left without any answer, so that one may come in a moment. */
  private unanswered = false;
  /** Monotonic milliseconds up to which a first look goes on while there is neither an answer nor an endpoint. */
  private patientUntil = -Infinity;

  /** @param before looked at the same source until now: what it knows holds until DNS says something else */
  constructor(
    private readonly address: DnsAddress,
    private readonly config: DiscoveryConfig,
    private readonly inputs: DnsInputs,
    before?: DnsDiscovery,
  ) {
    this.source = addressId(address);
    this.names = new Map([...before?.names ?? []].map(([name, memory]) => [name, new NameMemory(memory)]));
    this.targets = before?.targets ?? [];
    this.endpoints = before?.endpoints ?? 0;
    this.problem = before?.problem ?? null;
    this.failingSince = before?.failingSince ?? null;
    this.answeredAt = before?.answeredAt ?? null;
    this.settled = new Promise((resolve) => this.settle = resolve);
    // The one before has been waited for already.
    if (before === undefined) this.patientUntil = inputs.clock.now() + FIRST_LOOK_MS_MAX;
  }

  start(onEndpoints: (endpoints: readonly DiscoveredEndpoint[]) => void): void {
    this.publish = onEndpoints;
    this.running = this.look();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelNext();
    this.abort?.abort(new Error("stopped"));
    await this.running;
    this.settle();
  }

  describe(): DiscoveryStatus {
    const { source, endpoints, answeredAt, problem, failingSince } = this;
    return { source, endpoints, answeredAt, problem, failingSince };
  }

  get asks(): string {
    const { nameServer } = this.config;
    return nameServer === undefined ? "the name servers of the system" : `the name server ${nameServer}`;
  }

  private async look(): Promise<void> {
    const { clock } = this.inputs;
    const problem = await this.askInTime();
    if (this.stopped) return;
    this.take(this.known(), problem);
    const pauseMs = jittered(this.nextPauseMs(), this.config.jitterPercent, clock.random());
    const mayPass = this.unanswered && this.endpoints === 0;
    if (!mayPass || clock.now() + pauseMs > this.patientUntil) this.settle();
    this.cancelNext = clock.after(pauseMs, () => {
      this.running = this.look();
    });
  }

  /** How long until the next look; the look before it counts if it was in vain. */
  private nextPauseMs(): number {
    const { intervalMs } = this.config;
    if (this.endpoints > 0) return intervalMs;
    return Math.min(intervalMs, FIRST_PAUSE_MS * 2 ** this.vainLooks++);
  }

  /** Asks and remembers the answers; what is wrong, in words, or null. */
  private async askInTime(): Promise<string | null> {
    const { timeoutMs } = this.config;
    this.unanswered = false;
    const abort = this.abort = new AbortController();
    const cancel = this.inputs.clock.after(
      timeoutMs,
      () => abort.abort(new Error(`no answer within ${timeoutMs} ms`)),
    );
    try {
      return this.address.port === null
        ? await this.askService(this.address.host, abort.signal)
        : await this.resolve(this.address.host, abort.signal);
    } catch (error) {
      this.unanswered = true;
      return messageOf(error);
    } finally {
      cancel();
    }
  }

  private async askService(name: string, signal: AbortSignal): Promise<string | null> {
    // RFC 2782: a single target "." (an empty name here) says that the service is not offered.
    const answer = (await this.inputs.resolver.services(name, signal)).filter(({ target }) => target !== "");
    const problems: (string | null)[] = [];
    if (answer.length === 0) {
      problems.push("no SRV record: the name does not exist, has none, or its resolver fails");
    }
    const targets = answer.length === 0 ? this.targets : answer;
    const found = await Promise.all(
      hostsOf(targets).map(async (host) => ({ host, problem: await this.resolve(host, signal) })),
    );
    for (const { host, problem } of found) if (problem !== null) problems.push(`${host}: ${problem}`);
    if (targets.some(({ target }) => this.addressesOf(target).length > 0)) this.targets = targets;
    const hosts = hostsOf(this.targets);
    for (const known of this.names.keys()) if (!hosts.includes(known)) this.names.delete(known);
    return problems.find((problem) => problem !== null) ?? null;
  }

  /** The endpoints, by all answers so far. */
  private known(): DiscoveredEndpoint[] {
    const { host, port } = this.address;
    if (port === null) return this.serviceEndpoints();
    return mergeEndpoints([
      this.addressesOf(host).map((ip) => discoveredEndpoint(this.address, ip, port, host)),
    ]);
  }

  private serviceEndpoints(): DiscoveredEndpoint[] {
    const primary = Math.min(...this.targets.map(({ priority }) => priority));
    // The best priority first: an address that several targets share is a primary if one of them is.
    const ordered = this.targets.toSorted((a, b) => a.priority - b.priority);
    return mergeEndpoints(ordered.map(({ target, port, priority, weight }) => {
      const traits = {
        ...this.address,
        // RFC 2782: weight 0 is the least that may be chosen, not none at all.
        weight: Math.max(weight, 1) * this.address.weight,
        backup: this.address.backup || priority > primary,
      };
      return this.addressesOf(target).map((ip) => discoveredEndpoint(traits, ip, port, target));
    }));
  }

  /** Asks for the addresses of a name and remembers them; what is wrong, or null. */
  private async resolve(name: string, signal: AbortSignal): Promise<string | null> {
    const memory = this.names.get(name) ?? new NameMemory();
    this.names.set(name, memory);
    const answer = await this.inputs.resolver.addresses(name, signal);
    if (answer.v4 === null || answer.v6 === null) this.unanswered = true;
    return memory.learn(answer);
  }

  private addressesOf(name: string): string[] {
    return this.names.get(name)?.addresses ?? [];
  }

  private take(endpoints: readonly DiscoveredEndpoint[], problem: string | null): void {
    if (endpoints.length > 0 && !sameEndpoints(endpoints, this.published)) {
      this.published = endpoints;
      this.endpoints = endpoints.length;
      this.publish(endpoints);
    }
    const { source } = this;
    const date = this.inputs.clock.date();
    if (problem === null) this.answeredAt = date;
    if (problem !== null && this.problem === null) {
      this.failingSince = date;
      this.inputs.events.onFailure({ source, reason: problem, kept: this.endpoints });
    }
    if (problem === null && this.problem !== null) {
      this.failingSince = null;
      this.inputs.events.onRecovery({ source, endpoints: this.endpoints });
    }
    this.problem = problem;
  }
}

function hostsOf(targets: readonly ServiceTarget[]): string[] {
  return [...new Set(targets.map(({ target }) => target))];
}
