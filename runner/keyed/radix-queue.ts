import type { Timestamp } from "../../portability/values/index.js";
import { ReusedNumbers } from "./reused-list.js";
import { InstantQueue } from "../windows/index.js";

const TWO_32 = 2 ** 32;
/** One for the instant that was taken last, one for each bit in which a later one may differ first, its sign included. */
const BUCKETS = 65;

/** Items that differ from the instant taken last in the same highest bit. */
class Bucket {
  readonly instants = new ReusedNumbers();
  readonly items = new ReusedNumbers();
  /** Place of the earliest, the first of them in the order of addition. */
  first = 0;

  add(instant: Timestamp, item: number): void {
    if (this.items.size > 0 && instant < this.instants.at(this.first)) this.first = this.items.size;
    this.instants.push(instant);
    this.items.push(item);
  }

  clear(): void {
    this.instants.clear();
    this.items.clear();
    this.first = 0;
  }
}

/**
 * Numbers that wait for an instant, the earliest first: a radix heap (Ahuja, Mehlhorn, Orlin and Tarjan 1990). Adding costs a step, taking
 * a few, however many others there are, as long as time goes on; those of an instant come in the order of addition then. What is added for
 * before the instant taken last is kept apart, in a binary heap.
 */
export class RadixQueue {
  size = 0;
  private buckets = newBuckets();
  /** The instant of the items in the first bucket; no other bucket has an earlier one. */
  private last: Timestamp = -(2 ** 53);
  private lastHigh = Math.floor(-(2 ** 53) / TWO_32);
  private lastLow = 0;
  /** The lowest bucket that may have items. */
  private lowest = BUCKETS;
  /** Items of the first bucket that are taken already. */
  private taken = 0;
  private readonly early = new InstantQueue<number>();

  add(instant: Timestamp, item: number): void {
    this.size++;
    if (instant < this.last) this.early.add(instant, item);
    else this.place(instant, item);
  }

  /** The earliest instant that something waits for; Infinity if nothing does. */
  get next(): Timestamp {
    if (this.early.size > 0) return this.early.next;
    const bucket = this.lowestBucket();
    return bucket === undefined ? Infinity : bucket.instants.at(bucket.first);
  }

  /** The earliest item; there must be one. */
  peek(): number {
    if (this.early.size > 0) return this.early.peek()!;
    const bucket = this.lowestBucket()!;
    return bucket.items.at(bucket.first);
  }

  /** Takes the earliest item; there must be one. */
  take(): number {
    this.size--;
    if (this.early.size > 0) return this.early.take()!;
    const bucket = this.lowestBucket()!;
    if (this.lowest > 0) this.spread(bucket);
    const present = this.buckets[0];
    const item = present.items.at(this.taken);
    present.first = ++this.taken;
    if (this.taken === present.items.size) {
      present.clear();
      this.taken = 0;
      this.lowest = 1;
    }
    return item;
  }

  /** Keeps only what `keep` accepts. */
  retain(keep: (instant: Timestamp, item: number) => boolean): void {
    const { taken } = this;
    const before = this.buckets;
    this.buckets = newBuckets();
    this.early.retain(keep);
    this.size = this.early.size;
    this.taken = 0;
    this.lowest = BUCKETS;
    before.forEach(({ instants, items }, at) => {
      for (let i = at === 0 ? taken : 0; i < items.size; i++) if (keep(instants.at(i), items.at(i))) this.add(instants.at(i), items.at(i));
    });
  }

  private place(instant: Timestamp, item: number): void {
    const high = Math.floor(instant / TWO_32);
    let at: number;
    if (high === this.lastHigh) at = 32 - Math.clz32((instant - high * TWO_32) ^ this.lastLow);
    else at = 64 - Math.clz32(high ^ this.lastHigh);
    if (at < this.lowest) this.lowest = at;
    this.buckets[at].add(instant, item);
  }

  private lowestBucket(): Bucket | undefined {
    while (this.lowest < BUCKETS && this.buckets[this.lowest].items.size === 0) this.lowest++;
    return this.lowest < BUCKETS ? this.buckets[this.lowest] : undefined;
  }

  /** Moves on to the earliest instant of the lowest bucket, whose items then belong into lower ones. */
  private spread(bucket: Bucket): void {
    const { instants, items, first } = bucket;
    this.last = instants.at(first);
    this.lastHigh = Math.floor(this.last / TWO_32);
    this.lastLow = (this.last - this.lastHigh * TWO_32) | 0;
    for (let i = 0; i < items.size; i++) this.place(instants.at(i), items.at(i)); // all into lower ones
    bucket.clear();
  }
}

const newBuckets = (): Bucket[] => Array.from({ length: BUCKETS }, () => new Bucket());
