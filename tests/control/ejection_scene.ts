// A group of endpoints, and who of it is ejected.

import { ejectionSchema } from "../../src/config/schema.ts";
import type { GroupMember, TrafficCounts } from "../../src/control/ejection.ts";
import { OutlierDetector } from "../../src/control/outlier_detector.ts";

/** A group whose traffic a test makes up, and what its detector said. */
export class Scene implements TrafficCounts {
  readonly said: string[] = [];
  readonly outOfService = new Set<string>();
  /** Of those, who drains and would serve. */
  readonly standingBy = new Set<string>();
  private readonly figures = new Map<string, { inARow: number; attempts: number; failures: number }>();
  readonly detector: OutlierDetector;
  now = 0;

  constructor(public ids: string[], config: Record<string, unknown> = {}) {
    this.detector = new OutlierDetector(ejectionSchema.parse(config), this, {
      onEjected: ({ endpoint, reason, forMs }) => this.said.push(`${endpoint} out ${forMs}: ${reason}`),
      onReturned: ({ endpoint, reason }) => this.said.push(`${endpoint} back: ${reason}`),
    });
    this.tick(0);
  }

  private of(id: string) {
    const figures = this.figures.get(id) ?? { inARow: 0, attempts: 0, failures: 0 };
    this.figures.set(id, figures);
    return figures;
  }

  consecutiveFailures(id: string): number {
    return this.of(id).inARow;
  }
  attempts(id: string): number {
    return this.of(id).attempts;
  }
  gatewayFailures(id: string): number {
    return this.of(id).failures;
  }
  forgetFailures(id: string): void {
    this.of(id).inARow = 0;
  }

  fail(id: string, times: number): void {
    const figures = this.of(id);
    figures.inARow += times;
    figures.attempts += times;
    figures.failures += times;
  }

  succeed(id: string, times: number): void {
    const figures = this.of(id);
    figures.inARow = 0;
    figures.attempts += times;
  }

  tick(ms: number): void {
    this.now += ms;
    const group = this.ids.map((id): GroupMember => ({
      id,
      inService: !this.outOfService.has(id),
      standsBy: this.standingBy.has(id),
    }));
    this.detector.tick(this.now, group);
  }

  get ejected(): string[] {
    return this.ids.filter((id) => this.detector.isEjected(id));
  }
}
