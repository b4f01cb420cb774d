import type { Timestamp } from "../../portability/values/index.js";
import { RadixQueue } from "./radix-queue.js";

/** Something that is due at an instant, which may change. Belongs to one queue. */
export interface Alarm {
  /** Infinity if it is not due at all. */
  due: Timestamp;
  /** Written by its queue: the instant at which it finds the alarm again, at or before {@link due}; Infinity if nowhere. */
  queuedAt: Timestamp;
}

/** Garbage that is not worth a clean-up. */
const LITTLE = 1024;

/**
 * Alarms, the earliest first.
 *
 * - A1. An alarm that is put off, or called off, stays where it is: it is put right when its turn comes. So a timer that every element of a key puts
 *   off costs one entry.
 * - A2. Entries that stand for nothing are never more than those that do, but for a few.
 */
export class AlarmQueue<A extends Alarm> {
  private readonly queue = new RadixQueue<A>();
  /** Entries whose alarm is queued earlier, or called off. */
  private garbage = 0;

  /** @param due Infinity calls it off */
  set(alarm: A, due: Timestamp): void {
    const isQueued = alarm.queuedAt < Infinity;
    if (isQueued && alarm.due < Infinity !== due < Infinity) this.garbage += due < Infinity ? -1 : 1;
    alarm.due = due;
    if (due < alarm.queuedAt) {
      if (isQueued) this.garbage++;
      alarm.queuedAt = due;
      this.queue.add(due, alarm);
    }
    if (this.garbage > LITTLE && this.garbage * 2 > this.queue.size) this.cleanUp();
  }

  /** The earliest instant at which an alarm is due; Infinity if none is. */
  get next(): Timestamp {
    const { queue } = this;
    for (;;) {
      if (queue.size === 0) return Infinity;
      const instant = queue.next;
      const alarm = queue.peek()!;
      if (alarm.queuedAt === instant) {
        if (alarm.due === instant) return instant;
        queue.take();
        alarm.queuedAt = alarm.due;
        if (alarm.due < Infinity) queue.add(alarm.due, alarm);
        else this.forgotten();
      } else {
        queue.take();
        this.forgotten();
      }
    }
  }

  /** Takes the alarm that is due at {@link next}, which has just been asked and was no Infinity, and calls it off. */
  take(): A {
    const alarm = this.queue.take()!;
    alarm.due = alarm.queuedAt = Infinity;
    return alarm;
  }

  /** Entries, the ones that stand for nothing included. */
  get size(): number {
    return this.queue.size;
  }

  private forgotten(): void {
    if (this.garbage > 0) this.garbage--;
  }

  private cleanUp(): void {
    this.queue.retain((instant, alarm) => {
      if (alarm.queuedAt !== instant) return false;
      if (alarm.due < Infinity) return true;
      alarm.queuedAt = Infinity;
      return false;
    });
    this.garbage = 0;
  }
}
