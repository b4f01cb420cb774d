import type { Timestamp } from "../../portability/values/index.js";

/** What waits for an instant of event time or of processing time, the earliest first: a binary heap. */
export class InstantQueue<T> {
  private readonly instants: Timestamp[] = [];
  private readonly items: T[] = [];

  get size(): number {
    return this.items.length;
  }

  add(instant: Timestamp, item: T): void {
    const { instants, items } = this;
    let at = items.length;
    instants.push(instant);
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (instants[parent] <= instant) break;
      instants[at] = instants[parent];
      items[at] = items[parent];
      at = parent;
    }
    instants[at] = instant;
    items[at] = item;
  }

  /** The earliest instant that something waits for; Infinity if nothing does. */
  get next(): Timestamp {
    return this.items.length === 0 ? Infinity : this.instants[0];
  }

  /** Takes the earliest item if the watermark is beyond its instant, i.e. nothing at that instant can come any more. */
  takePassed(watermark: Timestamp): T | undefined {
    return this.next < watermark ? this.take() : undefined;
  }

  /** Takes the earliest item if its instant has come. */
  takeReached(now: Timestamp): T | undefined {
    return this.next <= now ? this.take() : undefined;
  }

  /** The earliest item. */
  peek(): T | undefined {
    return this.items[0];
  }

  /** Takes the earliest item. */
  take(): T | undefined {
    if (this.items.length === 0) return undefined;
    const first = this.items[0];
    const lastInstant = this.instants.pop()!;
    const lastItem = this.items.pop()!;
    if (this.items.length > 0) this.sink(lastInstant, lastItem);
    return first;
  }

  /** Keeps only what `keep` accepts. */
  retain(keep: (instant: Timestamp, item: T) => boolean): void {
    const instants = this.instants.splice(0);
    const items = this.items.splice(0);
    for (let i = 0; i < items.length; i++) if (keep(instants[i], items[i])) this.add(instants[i], items[i]);
  }

  private sink(instant: Timestamp, item: T): void {
    const { instants, items } = this;
    const size = items.length;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= size) break;
      if (child + 1 < size && instants[child + 1] < instants[child]) child++;
      if (instants[child] >= instant) break;
      instants[at] = instants[child];
      items[at] = items[child];
      at = child;
    }
    instants[at] = instant;
    items[at] = item;
  }
}
