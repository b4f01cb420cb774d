/** How often something may be done. */
export interface ThrottleOptions {
  /** How many times a second, by each task. */
  readonly perSecond: number;
  /** How many times at once where it was not done for a while; default 1. */
  readonly burst?: number;
}

/**
 * A token bucket, as the instant at which it would be full again: a token comes every `intervalMs`, and it holds `burst` of them. Who finds none
 * takes one that is yet to come, so that everybody's turn comes, in order.
 */
export class TokenBucket {
  private readonly intervalMs: number;
  private readonly depthMs: number;
  private fullAt = -Infinity;

  constructor({ perSecond, burst = 1 }: ThrottleOptions) {
    this.intervalMs = 1000 / perSecond;
    this.depthMs = (burst - 1) * this.intervalMs;
  }

  /** Takes a token; gives the milliseconds until it is there. */
  take(now: number): number {
    const fullAt = Math.max(now, this.fullAt);
    this.fullAt = fullAt + this.intervalMs;
    return Math.max(0, fullAt - this.depthMs - now);
  }
}
