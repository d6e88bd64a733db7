// How many retries an upstream may get: a share of its requests, so that retries cannot become the outage.
//
// Tokens: each request earns a fraction, time earns a few per second, a reserve is the most that is saved.

import type { RetryConfig } from "../config/schema.ts";

type BudgetConfig = Pick<RetryConfig, "budgetPercent" | "budgetMinPerSecond" | "budgetReserve">;

export class RetryBudget {
  private tokens: number;
  private at: number;

  /** @param now monotonic milliseconds */
  constructor(private config: BudgetConfig, private readonly now: () => number) {
    this.tokens = config.budgetReserve;
    this.at = now();
  }

  apply(config: BudgetConfig): void {
    this.config = config;
  }

  /** A request arrived. */
  earn(): void {
    this.add(this.config.budgetPercent / 100);
  }

  /** Takes one retry out of the budget; false when there is none left. */
  spend(): boolean {
    const now = this.now();
    this.add((now - this.at) / 1_000 * this.config.budgetMinPerSecond);
    this.at = now;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }

  /** Retries left. */
  get left(): number {
    return Math.floor(this.tokens);
  }

  private add(tokens: number): void {
    const max = Math.max(this.config.budgetReserve, this.config.budgetMinPerSecond, 1);
    this.tokens = Math.min(this.tokens + tokens, max);
  }
}

/** Full jitter: uniform below base x 2^(attempt - 1), at most the cap, in milliseconds. */
export function backoffMs(attempt: number, baseMs: number, capMs: number, random: () => number): number {
  return Math.min(capMs, baseMs * 2 ** (attempt - 1)) * random();
}
