// An upstream whose checks and traffic a test makes up, and what is judged of it.

import { Board, EndpointCell, RETIRED_COLUMN } from "../../src/board/layout.ts";
import { EndpointField } from "../../src/board/fields.ts";
import { stateWords, Verdicts } from "../../src/board/verdicts.ts";
import { ejectionSchema, healthSchema, slowStartSchema } from "../../src/config/schema.ts";
import { boardInputs, HealthMonitor } from "../../src/control/health_monitor.ts";
import type { JudgedUpstream } from "../../src/control/judgement.ts";
import type { Probe } from "../../src/control/probe.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

export const UPSTREAM_ROW = 1;
const capacity = { columnsMax: 3, upstreamsMax: 2, endpointsMax: 8, routesMax: 1, rateSlotsMax: 1 };

/** A monitor of one upstream over a real board; endpoints are named by letters, `a` has row 0. */
export class Scene {
  readonly clock = new VirtualClock();
  readonly board = Board.create(capacity);
  readonly verdicts = new Verdicts(this.board);
  readonly down = new Set<string>();
  readonly said: string[] = [];
  readonly monitor: HealthMonitor;
  config: Record<"health" | "ejection" | "slowStart", Record<string, unknown>> = {
    health: {},
    ejection: {},
    slowStart: {},
  };

  /** @param closed what a probe waits for before it ends */
  constructor(closed: (host: string) => Promise<void> = () => Promise.resolve()) {
    const probe: Probe = async ({ host }) => {
      await closed(host);
      return this.down.has(host)
        ? { passed: false, reason: "connection refused" }
        : { passed: true, reason: "connected" };
    };
    this.monitor = new HealthMonitor({
      ...boardInputs(this.board),
      clock: this.clock,
      probe,
      events: {
        onHealthChange: ({ upstream, endpoint, to, reason }) =>
          this.said.push(`${upstream} ${endpoint} ${to}: ${reason}`),
        onEjected: ({ upstream, endpoint, reason }) =>
          this.said.push(`${upstream} ${endpoint} ejected: ${reason}`),
        onReturned: ({ upstream, endpoint, reason }) =>
          this.said.push(`${upstream} ${endpoint} returned: ${reason}`),
      },
    });
  }

  upstream(letters: string, drained = ""): JudgedUpstream {
    const { health, ejection, slowStart } = this.config;
    return {
      name: "api",
      row: UPSTREAM_ROW,
      health: healthSchema.parse({ jitterPercent: 0, ...health }),
      ejection: ejectionSchema.parse(ejection),
      slowStart: slowStartSchema.parse(slowStart),
      tls: { caCerts: [] },
      endpoints: [...letters].map((letter) => ({
        id: letter,
        row: letter.charCodeAt(0) - 97,
        scheme: "http",
        host: letter,
        port: 80,
        authority: letter,
        weight: 1,
        backup: false,
        drain: drained.includes(letter),
      })),
    };
  }

  apply(letters: string, drained = ""): void {
    this.monitor.apply([this.upstream(letters, drained)]);
  }

  /** What the board says of each, in words; the weight where it is not full. */
  words(letters: string): string {
    return [...letters].map((letter) => {
      const row = letter.charCodeAt(0) - 97;
      const weight = this.verdicts.weightPermille(row);
      const words = stateWords(this.verdicts.state(row)).join("+");
      return `${letter} ${words}${weight === 1_000 ? "" : ` ${weight}`}`;
    }).join(", ");
  }

  fail(letter: string, times: number): void {
    const row = letter.charCodeAt(0) - 97;
    const { int32, float64, layout } = this.board;
    Atomics.add(int32, layout.endpointCell(row, EndpointCell.consecutiveFailures), times);
    float64[layout.endpointTotal(RETIRED_COLUMN + 1, row, EndpointField.attempts)]! += times;
    float64[layout.endpointTotal(RETIRED_COLUMN + 1, row, EndpointField.gatewayFailures)]! += times;
  }
}
