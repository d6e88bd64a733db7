// A route made ready for traffic: its upstreams looked up, its overrides merged, its row on the board found.
//
// Made once per snapshot and route, so that a request costs a map look-up.

import { hash32 } from "../balance/hash.ts";
import { RouteField, statusClassOf } from "../board/fields.ts";
import type { OwnColumn, OwnGauge, OwnRow } from "../board/own.ts";
import type { LimitsConfig } from "../config/schema.ts";
import type { RequestHead } from "../exchange.ts";
import type { RouteSnapshot } from "../messages.ts";
import { type AttemptSettings, attemptSettings } from "../routing/attempt_settings.ts";
import { editHeaders } from "../routing/header_edits.ts";
import { makeSplit, type Split } from "../routing/split.ts";
import { redirectLocation, rewriteTarget } from "../routing/target.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { Group } from "./group.ts";
import { type WholeBody, wholeText } from "./whole_body.ts";

/** The first turn is below this: far from where counting is no longer exact, and above the turns of any round. */
const FIRST_TURN_END = 2 ** 30;

export class RoutePlan {
  readonly totals: OwnRow;
  /** Its row on the board is its own until the last of these has been counted. */
  readonly inFlight: OwnGauge;
  private readonly split: Split | null;
  /** Begins by chance: from 0, a canary of 1 % would get none of the first 59 requests of any worker. */
  private turns: number;
  /** Timeouts and retries by upstream, the route's own words first. */
  private readonly merged = new Map<Upstream, AttemptSettings>();

  constructor(
    readonly route: RouteSnapshot,
    private readonly groups: ReadonlyMap<string, Group>,
    own: OwnColumn,
    random: () => number,
  ) {
    this.totals = own.route(route.row);
    this.inFlight = own.routeInFlight(route.row);
    this.split = route.split === undefined ? null : makeSplit(route.split);
    this.turns = Math.floor(random() * FIRST_TURN_END);
  }

  /** Where a request goes; null when the route names nothing that is there. */
  groupFor(clientAddress: string): Group | null {
    const group = this.peekGroup(clientAddress);
    this.turns++;
    return group;
  }

  /** Where the next request would go, without taking the turn. */
  peekGroup(clientAddress: string): Group | null {
    const name = this.split === null
      ? this.route.upstream
      : this.route.splitSticky
      ? this.split.byHash(hash32(clientAddress))
      : this.split.byTurn(this.turns);
    return name === undefined ? null : this.groups.get(name) ?? null;
  }

  settings(upstream: Upstream): AttemptSettings {
    let merged = this.merged.get(upstream);
    if (merged === undefined) {
      merged = attemptSettings(this.route, upstream.snapshot);
      this.merged.set(upstream, merged);
    }
    return merged;
  }

  /** Largest request body; 0 is no limit. */
  requestBodyBytesMax(limits: LimitsConfig): number {
    return this.route.requestBodyBytesMax ?? limits.requestBodyBytesMax;
  }

  /** Longest silence of a WebSocket or another tunnel. */
  idleTunnelMs(limits: LimitsConfig): number {
    return this.route.idleTunnelMs ?? limits.webSocketIdleMs;
  }

  targetFor(target: string): string {
    return this.route.rewrite === undefined ? target : rewriteTarget(target, this.route.rewrite);
  }

  get editsRequests(): boolean {
    return this.route.requestHeaders !== undefined;
  }

  requestHeaders(lines: string[]): string[] {
    return editHeaders(lines, this.route.requestHeaders);
  }

  get editsAnswers(): boolean {
    return this.route.responseHeaders !== undefined;
  }

  responseHeaders(lines: string[]): string[] {
    return editHeaders(lines, this.route.responseHeaders);
  }

  /** The answer of a route that needs no upstream, or null. */
  ownAnswer(head: RequestHead): { status: number; headers: string[]; body: WholeBody } | null {
    const { redirect, respond } = this.route;
    if (redirect !== undefined) {
      const location = redirectLocation(redirect.to, head);
      return {
        status: redirect.status,
        headers: ["Location", location],
        body: wholeText(""),
      };
    }
    if (respond === undefined) return null;
    // RFC 9110 15.3.6: no content, and a length that says so.
    const body = wholeText(respond.status === 205 ? "" : respond.body);
    const headers = body.length === 0 ? [] : ["Content-Type", respond.contentType];
    return { status: respond.status, headers, body };
  }

  count(status: number, bytesIn: number, bytesOut: number): void {
    this.totals.add(RouteField.status1xx + statusClassOf(status));
    this.totals.add(RouteField.bytesIn, bytesIn);
    this.totals.add(RouteField.bytesOut, bytesOut);
  }
}
