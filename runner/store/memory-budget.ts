/** Something that holds memory and can give it back by writing it to disk. */
export interface Spillable {
  /** Bytes that {@link spill} would free, about. */
  readonly heldBytes: number;
  /** Frees what it can: nothing, if all of it is in use. */
  spill(): void;
}

/** What a spill must free at least, so that a worker which is full of small things does not write them out one by one. */
const MIN_SPILL_BYTES = 1 << 20;

/**
 * How much memory the state of one worker may take, by estimate. Whoever makes the sum exceed it has the largest holder spill,
 * and more of them until half of it is free again.
 */
export class MemoryBudget {
  private used = 0;
  private readonly holders = new Set<Spillable>();

  constructor(readonly limitBytes: number) {}

  get usedBytes(): number {
    return this.used;
  }

  add(holder: Spillable): void {
    this.holders.add(holder);
  }

  remove(holder: Spillable): void {
    this.holders.delete(holder);
  }

  /** A holder has grown by so many bytes, or shrunk by them. */
  change(bytes: number): void {
    this.used += bytes;
    if (bytes > 0 && this.used > this.limitBytes) this.relieve();
  }

  private relieve(): void {
    const inUse = new Set<Spillable>();
    while (this.used > this.limitBytes / 2) {
      let largest: Spillable | undefined;
      for (const holder of this.holders)
        if (!inUse.has(holder) && (largest === undefined || holder.heldBytes > largest.heldBytes)) largest = holder;
      if (largest === undefined || largest.heldBytes < Math.min(MIN_SPILL_BYTES, this.limitBytes / 8)) return;
      const before = this.used;
      largest.spill();
      if (this.used >= before) inUse.add(largest);
    }
  }
}
