// The timers of a stateful transform, of all keys and windows.
//
// U1. There is at most one for each key, window, family and tag: the one that was set last.
// U2. Event-time timers fire in the order of their times, whenever they were set; so do those of processing time.
// U3. A timer that fires at the time that it puts out at needs no hold: the watermark goes no further before it has fired.
import type { Timestamp } from "../../portability/values/index.js";
import { AlarmQueue, NO_SLOT } from "./alarm-queue.js";
import { Timer, type KeyedRecord } from "./keyed-record.js";
import type { FamilySpec } from "./keyed-spec.js";
import { ReusedList, ReusedNumbers } from "./reused-list.js";
import type { UndoLog } from "./undo-log.js";

export class UserTimers {
  readonly event = new AlarmQueue<Timer>();
  readonly processing = new AlarmQueue<Timer>();
  private readonly holds = new AlarmQueue<Timer>();
  /** Timers that the bundle has changed, and three numbers of each: when it was due, put out, and held the watermark. */
  private readonly changed = new ReusedList<Timer>();
  private readonly before = new ReusedNumbers();

  constructor(private readonly log: UndoLog) {}

  /** Sets the timer. */
  set(record: KeyedRecord, family: FamilySpec, tag: string, fireAt: Timestamp, outputAt: Timestamp, holds: boolean): void {
    let timer = record.timerOf(family, tag);
    if (timer === undefined) record.addTimer((timer = new Timer(record, family, tag)));
    this.save(timer);
    const needsHold = holds && (family.domain === "processing" || outputAt < fireAt); // U3
    this.put(timer, fireAt, outputAt, needsHold ? outputAt : Infinity);
  }

  clear(record: KeyedRecord, family: FamilySpec, tag: string): void {
    const timer = record.timerOf(family, tag);
    if (timer === undefined || timer.slot === NO_SLOT) return;
    this.save(timer);
    this.put(timer, Infinity, Infinity, Infinity);
  }

  /** Takes the timer that is due next in its domain: it is not set any more. */
  take(domain: FamilySpec["domain"]): Timer {
    const queue = this[domain];
    const timer = queue.itemOf(queue.first);
    this.save(timer);
    queue.take();
    timer.slot = NO_SLOT;
    timer.record.pending--;
    this.putHold(timer, Infinity);
    return timer;
  }

  /** Makes the bundle's changes final. */
  commit(): void {
    this.changed.clear();
    this.before.clear();
  }

  /** Takes the bundle's changes back. */
  rollback(): void {
    const { changed, before } = this;
    for (let i = 0; i < changed.size; i++) this.put(changed.at(i), before.at(i * 3), before.at(i * 3 + 1), before.at(i * 3 + 2));
    this.commit();
  }

  /** The earliest time at which a timer holds the output watermark; Infinity if none does. */
  get hold(): Timestamp {
    return this.holds.next;
  }

  /** Entries of all queues, those that stand for nothing included: for tests. */
  get size(): number {
    return this.event.size + this.processing.size + this.holds.size;
  }

  /** Takes back all timers of a record, for good. */
  forget(record: KeyedRecord): void {
    if (record.pending === 0) return;
    for (let timer = record.timers; timer !== undefined; timer = timer.next) this.put(timer, Infinity, Infinity, Infinity);
  }

  private save(timer: Timer): void {
    if (timer.savedIn === this.log.bundle) return;
    timer.savedIn = this.log.bundle;
    const { slot, holdSlot } = timer;
    const queue = this[timer.family.domain];
    this.changed.push(timer);
    this.before.push(slot === NO_SLOT ? Infinity : queue.dueOf(slot));
    this.before.push(slot === NO_SLOT ? Infinity : queue.noteOf(slot));
    this.before.push(holdSlot === NO_SLOT ? Infinity : this.holds.dueOf(holdSlot));
  }

  /** Sets it, or takes it back with Infinity, whatever it was. */
  private put(timer: Timer, due: Timestamp, outputAt: Timestamp, holdAt: Timestamp): void {
    const queue = this[timer.family.domain];
    if (due === Infinity) {
      if (timer.slot !== NO_SLOT) {
        queue.remove(timer.slot);
        timer.slot = NO_SLOT;
        timer.record.pending--;
      }
    } else if (timer.slot === NO_SLOT) {
      timer.slot = queue.add(timer, due, outputAt);
      timer.record.pending++;
    } else queue.move(timer.slot, due, outputAt);
    this.putHold(timer, holdAt);
  }

  private putHold(timer: Timer, holdAt: Timestamp): void {
    const { holds } = this;
    if (holdAt < Infinity) {
      if (timer.holdSlot === NO_SLOT) timer.holdSlot = holds.add(timer, holdAt);
      else holds.move(timer.holdSlot, holdAt);
    } else if (timer.holdSlot !== NO_SLOT) {
      holds.remove(timer.holdSlot);
      timer.holdSlot = NO_SLOT;
    }
  }
}
