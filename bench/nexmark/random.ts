/** Arbitrary numbers that are the same in every run: a linear congruential generator that may be started at any number at no cost. */
export class Random {
  private state = 0;

  /** Starts the sequence that belongs to `n`. Neighbouring numbers have sequences that do not resemble each other. */
  start(n: number): this {
    let mixed = n | 0;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
    this.state = mixed ^ (mixed >>> 16);
    return this;
  }

  /** A whole number from 0 on and below `limit`, which is at most 2^31. */
  below(limit: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) | 0;
    return ((this.state >>> 0) * (limit / 2 ** 32)) | 0; // the upper bits, which are the good ones, decide
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }
}
