import type { Timestamp } from "../../portability/values/index.js";
import { InstantQueue } from "../windows/index.js";

const TWO_32 = 2 ** 32;
/** One for the instant that was taken last, one for each bit in which a later one may differ first, its sign included. */
const BUCKETS = 65;

/** Items that differ from the instant taken last in the same highest bit. */
class Bucket<T> {
  instants: Timestamp[] = [];
  items: T[] = [];
  /** Place of the earliest, the first of them in the order of addition. */
  first = 0;

  add(instant: Timestamp, item: T): void {
    if (this.items.length > 0 && instant < this.instants[this.first]) this.first = this.items.length;
    this.instants.push(instant);
    this.items.push(item);
  }
}

/**
 * What waits for an instant, the earliest first, those of an instant in the order of addition: a radix heap (Ahuja, Mehlhorn, Orlin and Tarjan 1990). Adding
 * costs a step, taking a few, wherever in memory millions of others are, as long as time goes on: what is added for before the instant taken
 * last is kept apart, in a binary heap.
 */
export class RadixQueue<T> {
  size = 0;
  private readonly buckets = Array.from({ length: BUCKETS }, () => new Bucket<T>());
  /** The instant of the items in the first bucket; no other bucket has an earlier one. */
  private last: Timestamp = -(2 ** 53);
  private lastHigh = Math.floor(-(2 ** 53) / TWO_32);
  private lastLow = 0;
  /** The lowest bucket that may have items. */
  private lowest = BUCKETS;
  /** Items of the first bucket that are taken already. */
  private taken = 0;
  private readonly early = new InstantQueue<T>();

  add(instant: Timestamp, item: T): void {
    this.size++;
    if (instant < this.last) this.early.add(instant, item);
    else this.place(instant, item);
  }

  /** The earliest instant that something waits for; Infinity if nothing does. */
  get next(): Timestamp {
    if (this.early.size > 0) return this.early.next;
    const bucket = this.lowestBucket();
    return bucket === undefined ? Infinity : bucket.instants[bucket.first];
  }

  /** The earliest item. */
  peek(): T | undefined {
    if (this.early.size > 0) return this.early.peek();
    const bucket = this.lowestBucket();
    return bucket?.items[bucket.first];
  }

  /** Takes the earliest item. */
  take(): T | undefined {
    if (this.early.size > 0) {
      this.size--;
      return this.early.take();
    }
    const bucket = this.lowestBucket();
    if (bucket === undefined) return undefined;
    if (this.lowest > 0) this.spread(bucket);
    this.size--;
    const present = this.buckets[0];
    const item = present.items[this.taken];
    present.first = ++this.taken;
    if (this.taken === present.items.length) {
      this.buckets[0] = new Bucket();
      this.taken = 0;
      this.lowest = 1;
    }
    return item;
  }

  /** Keeps only what `keep` accepts. */
  retain(keep: (instant: Timestamp, item: T) => boolean): void {
    const { buckets, taken } = this;
    this.early.retain(keep);
    this.size = this.early.size;
    this.taken = 0;
    this.lowest = BUCKETS;
    for (let at = 0; at < BUCKETS; at++) {
      const { instants, items } = buckets[at];
      buckets[at] = new Bucket();
      for (let i = at === 0 ? taken : 0; i < items.length; i++) if (keep(instants[i], items[i])) this.add(instants[i], items[i]);
    }
  }

  private place(instant: Timestamp, item: T): void {
    const high = Math.floor(instant / TWO_32);
    let at: number;
    if (high === this.lastHigh) at = 32 - Math.clz32((instant - high * TWO_32) ^ this.lastLow);
    else at = 64 - Math.clz32(high ^ this.lastHigh);
    if (at < this.lowest) this.lowest = at;
    this.buckets[at].add(instant, item);
  }

  private lowestBucket(): Bucket<T> | undefined {
    while (this.lowest < BUCKETS && this.buckets[this.lowest].items.length === 0) this.lowest++;
    return this.lowest < BUCKETS ? this.buckets[this.lowest] : undefined;
  }

  /** Moves on to the earliest instant of the lowest bucket, whose items then belong into lower ones. */
  private spread({ instants, items, first }: Bucket<T>): void {
    this.buckets[this.lowest] = new Bucket();
    this.last = instants[first];
    this.lastHigh = Math.floor(this.last / TWO_32);
    this.lastLow = (this.last - this.lastHigh * TWO_32) | 0;
    for (let i = 0; i < items.length; i++) this.place(instants[i], items[i]);
  }
}
