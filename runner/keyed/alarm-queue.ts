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

/** Numbers of a slot, next to each other: when its alarm is due, … */
const DUE = 0;
/** … at or before which instant the queue finds it, Infinity for a slot that is free, … */
const QUEUED_AT = 1;
/** … and what goes with it. */
const NOTE = 2;
const NUMBERS = 3;

/**
 * Alarms, the earliest first.
 *
 * - A1. An alarm that is put off stays where it is queued, and is put right when its turn comes. So a timer that every element of a key puts off
 *   costs one entry.
 * - A2. Entries that stand for nothing are never more than those that do, but for a few. They may name a slot that is another alarm's by now:
 *   an entry stands for its slot's alarm only at the instant at which it is queued, where that one is to be found anyway.
 */
export class AlarmQueue<T> {
  private readonly queue = new RadixQueue();
  private readonly items: (T | undefined)[] = [];
  private readonly free = new ReusedNumbers();
  private numbers = new Float64Array(LEAST * NUMBERS).fill(Infinity);
  /** Entries that stand for nothing (A2). */
  private garbage = 0;
  private nextSlot: Slot = NO_SLOT;

  /** @param note a number that goes with it */
  add(item: T, due: Timestamp, note = 0): Slot {
    const slot = this.free.size > 0 ? this.free.pop() : this.items.length;
    const at = slot * NUMBERS;
    if (at === this.numbers.length) this.grow();
    this.items[slot] = item;
    this.numbers[at + DUE] = due;
    this.numbers[at + NOTE] = note;
    this.enqueue(slot, due);
    return slot;
  }

  /** Sets an alarm to another instant. */
  move(slot: Slot, due: Timestamp, note = 0): void {
    const { numbers } = this;
    const at = slot * NUMBERS;
    numbers[at + DUE] = due;
    numbers[at + NOTE] = note;
    if (due >= numbers[at + QUEUED_AT]) return; // A1
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

  /** Gives an alarm another item; nothing else of it changes. */
  rename(slot: Slot, item: T): void {
    this.items[slot] = item;
  }

  dueOf(slot: Slot): Timestamp {
    return this.numbers[slot * NUMBERS + DUE];
  }

  noteOf(slot: Slot): number {
    return this.numbers[slot * NUMBERS + NOTE];
  }

  /** The earliest instant at which an alarm is due; Infinity if none is. */
  get next(): Timestamp {
    const { queue, numbers } = this;
    for (;;) {
      const instant = queue.next;
      if (instant === Infinity) return Infinity;
      const slot = queue.peek();
      const at = slot * NUMBERS;
      if (numbers[at + QUEUED_AT] === instant) {
        if (numbers[at + DUE] === instant) {
          this.nextSlot = slot;
          return instant;
        }
        queue.take();
        this.enqueue(slot, numbers[at + DUE]);
      } else {
        queue.take();
        if (this.garbage > 0) this.garbage--;
      }
    }
  }

  /** The alarm that is due at {@link next}, which has just been asked and was no Infinity. */
  get first(): Slot {
    return this.nextSlot;
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
    this.numbers[slot * NUMBERS + QUEUED_AT] = due;
    this.queue.add(due, slot);
  }

  private release(slot: Slot): void {
    this.items[slot] = undefined;
    this.numbers[slot * NUMBERS + QUEUED_AT] = Infinity;
    this.free.push(slot);
  }

  /** An entry stands for nothing any more. */
  private discard(): void {
    if (++this.garbage <= LITTLE || this.garbage * 2 <= this.queue.size) return;
    this.queue.retain((instant, slot) => this.numbers[slot * NUMBERS + QUEUED_AT] === instant);
    this.garbage = 0;
  }

  private grow(): void {
    const { numbers } = this;
    this.numbers = new Float64Array(numbers.length * 2).fill(Infinity);
    this.numbers.set(numbers);
  }
}
