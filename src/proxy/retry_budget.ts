// How many retries an upstream may get: a share of its requests, so that retries cannot become the outage.
//
// Each request earns a fraction of a retry, for all workers together: the balance stands on the board. What
// is earned is saved for some seconds, so that a burst of failures finds what the traffic before it has
// earned; what time gives never goes above the reserve, so a quiet upstream saves no more than that.

import type { RetryConfig } from "../config/schema.ts";

type BudgetConfig = Pick<RetryConfig, "budgetPercent" | "budgetMinPerSecond" | "budgetReserve">;

/** Two Int32 cells, on the board where workers share them: thousandths of a retry, and the second last aged. */
export interface BudgetCells {
  readonly int32: Int32Array;
  readonly milli: number;
  readonly second: number;
}

/** Of what is saved above the reserve, this much is left a second later: savings of 10 s at a steady rate. */
const KEPT_PER_SECOND = 0.9;
/** A retry, in cells. */
const MILLI = 1_000;
/** Far below where an Int32 wraps around, far above what any traffic retries. */
const MILLI_MAX = 1_000_000_000;

export class RetryBudget {
  /** @param now monotonic milliseconds; the same clock in all workers that share `cells` */
  constructor(
    private config: BudgetConfig,
    private readonly now: () => number,
    private readonly cells: BudgetCells,
  ) {
    this.age();
  }

  apply(config: BudgetConfig): void {
    this.config = config;
  }

  /** A request arrived. @param now monotonic milliseconds */
  earn(now = this.now()): void {
    const { int32, milli } = this.cells;
    this.age(now);
    if (Atomics.load(int32, milli) < MILLI_MAX) Atomics.add(int32, milli, this.config.budgetPercent * 10);
  }

  /** Takes one retry out of the budget; false when there is none left. */
  spend(): boolean {
    this.age();
    const { int32, milli } = this.cells;
    let balance = Atomics.load(int32, milli);
    while (balance >= MILLI) {
      const found = Atomics.compareExchange(int32, milli, balance, balance - MILLI);
      if (found === balance) return true;
      balance = found;
    }
    return false;
  }

  /** Retries left. */
  get left(): number {
    return Math.floor(Atomics.load(this.cells.int32, this.cells.milli) / MILLI);
  }

  /**
   * Lets the seconds since the last look work on the balance; the first worker to see a second does it. Also to be
   * called while no request comes, as the balance is shown.
   */
  age(now = this.now()): void {
    const { int32, milli, second } = this.cells;
    // Counted from 1: an untouched cell is 0.
    const current = Math.floor(now / 1_000) + 1;
    const seen = Atomics.load(int32, second);
    if (current <= seen || Atomics.compareExchange(int32, second, seen, current) !== seen) return;
    const balance = Atomics.load(int32, milli);
    const aged = seen === 0 ? this.config.budgetReserve * MILLI : this.agedMilli(balance, current - seen);
    // The difference, not the result: another worker may be spending.
    Atomics.add(int32, milli, Math.round(aged - balance));
  }

  private agedMilli(balance: number, seconds: number): number {
    const { budgetReserve, budgetMinPerSecond } = this.config;
    const rest = Math.max(budgetReserve, budgetMinPerSecond) * MILLI;
    if (balance > rest) return rest + (balance - rest) * KEPT_PER_SECOND ** seconds;
    return Math.min(rest, balance + budgetMinPerSecond * MILLI * seconds);
  }
}
