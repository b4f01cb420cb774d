import type { Timestamp } from "../../portability/values/index.js";
import { RadixQueue } from "./radix-queue.js";
import { ReusedNumbers } from "./reused-list.js";

/** Garbage that is not worth a clean-up. */
const LITTLE = 1024;
const LEAST = 64;

/** An alarm of a queue: a number, so that millions of them are no work for the garbage collector. */
export type Slot = number;

/** What has no alarm. */
export const NO_SLOT: Slot = -1;

/**
 * Alarms, the earliest first.
 *
 * - A1. An alarm that is put off stays where it is queued, and is put right when its turn comes. So a timer that every element of a key puts off
 *   costs one entry.
 * - A2. Entries that stand for nothing are never more than those that do, but for a few. They may name a slot that is another alarm's by now:
 *   an entry stands for its slot's alarm only at the instant of {@link queuedAts}, where that one is to be found anyway.
 */
export class AlarmQueue<T> {
  private readonly queue = new RadixQueue();
  private readonly items: (T | undefined)[] = [];
  private readonly free = new ReusedNumbers();
  private dues = new Float64Array(LEAST);
  /** The instant at which the queue finds the alarm, at or before its due; Infinity for a slot that is free. */
  private queuedAts = new Float64Array(LEAST).fill(Infinity);
  private notes = new Float64Array(LEAST);
  /** Entries that stand for nothing (A2). */
  private garbage = 0;

  /** @param note a number that goes with it */
  add(item: T, due: Timestamp, note = 0): Slot {
    const slot = this.free.size > 0 ? this.free.pop() : this.items.length;
    if (slot === this.dues.length) this.grow();
    this.items[slot] = item;
    this.dues[slot] = due;
    this.notes[slot] = note;
    this.enqueue(slot, due);
    return slot;
  }

  /** Sets an alarm to another instant. */
  move(slot: Slot, due: Timestamp, note = 0): void {
    this.dues[slot] = due;
    this.notes[slot] = note;
    if (due >= this.queuedAts[slot]) return; // A1
    this.enqueue(slot, due);
    this.discard();
  }

  /** Calls an alarm off. */
  remove(slot: Slot): void {
    this.release(slot);
    this.discard();
  }

  itemOf(slot: Slot): T {
    return this.items[slot] as T;
  }

  dueOf(slot: Slot): Timestamp {
    return this.dues[slot];
  }

  noteOf(slot: Slot): number {
    return this.notes[slot];
  }

  /** The earliest instant at which an alarm is due; Infinity if none is. */
  get next(): Timestamp {
    const { queue, queuedAts, dues } = this;
    for (;;) {
      const instant = queue.next;
      if (instant === Infinity) return Infinity;
      const slot = queue.peek();
      if (queuedAts[slot] === instant) {
        if (dues[slot] === instant) return instant;
        queue.take();
        this.enqueue(slot, dues[slot]);
      } else {
        queue.take();
        if (this.garbage > 0) this.garbage--;
      }
    }
  }

  /** The alarm that is due at {@link next}, which has just been asked and was no Infinity. */
  get first(): Slot {
    return this.queue.peek();
  }

  /** Takes {@link first}, and frees its slot: what goes with it has to be asked before. */
  take(): void {
    this.release(this.queue.take());
  }

  /** Entries, the ones that stand for nothing included. */
  get size(): number {
    return this.queue.size;
  }

  private enqueue(slot: Slot, due: Timestamp): void {
    this.queuedAts[slot] = due;
    this.queue.add(due, slot);
  }

  private release(slot: Slot): void {
    this.items[slot] = undefined;
    this.queuedAts[slot] = Infinity;
    this.free.push(slot);
  }

  /** An entry stands for nothing any more. */
  private discard(): void {
    if (++this.garbage <= LITTLE || this.garbage * 2 <= this.queue.size) return;
    this.queue.retain((instant, slot) => this.queuedAts[slot] === instant);
    this.garbage = 0;
  }

  private grow(): void {
    const { dues, queuedAts, notes } = this;
    const size = dues.length * 2;
    this.dues = new Float64Array(size);
    this.dues.set(dues);
    this.queuedAts = new Float64Array(size).fill(Infinity);
    this.queuedAts.set(queuedAts);
    this.notes = new Float64Array(size);
    this.notes.set(notes);
  }
}
