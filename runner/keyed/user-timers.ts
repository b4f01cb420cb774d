// The timers of a stateful transform, of all keys and windows.
//
// U1. There is at most one for each key, window, family and tag: the one that was set last.
// U2. Event-time timers fire in the order of their times, whenever they were set; so do those of processing time.
// U3. A timer that fires at the time that it puts out at needs no hold: the watermark goes no further before it has fired.
// U4. Alarms of a record that is on disk stay as they are, and name an {@link EvictedTimers}; the record comes back before one of them is taken.
import type { Timestamp } from "../../portability/values/index.js";
import { AlarmQueue, NO_SLOT, type Slot } from "./alarm-queue.js";
import { EvictedTimers, type KeyedRecord, type Timer, type WindowRecords } from "./keyed-record.js";
import type { FamilySpec } from "./keyed-spec.js";
import { ReusedList, ReusedNumbers } from "./reused-list.js";
import type { UndoLog } from "./undo-log.js";

type Alarms = AlarmQueue<Timer | EvictedTimers>;

export class UserTimers {
  readonly event: Alarms = new AlarmQueue();
  readonly processing: Alarms = new AlarmQueue();
  readonly sorting: Alarms = new AlarmQueue();
  private readonly holds: Alarms = new AlarmQueue();
  /** U4: brings back the record of an alarm. */
  loadRecordOf: ((evicted: EvictedTimers, domain: FamilySpec["domain"], slot: Slot) => void) | undefined;
  /** Timers that the bundle has changed, and three numbers of each: when it was due, put out, and held the watermark. */
  private readonly changed = new ReusedList<Timer>();
  private readonly before = new ReusedNumbers();

  constructor(private readonly log: UndoLog) {}

  /** Sets the timer. */
  set(record: KeyedRecord, family: FamilySpec, tag: string, fireAt: Timestamp, outputAt: Timestamp, holds: boolean): void {
    const timer = record.timerOf(family, tag) ?? record.addTimer(family, tag);
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

  /** The timer that is due next in its domain. */
  next(domain: FamilySpec["domain"]): Timer {
    const queue = this.queueOf(domain);
    const item = queue.itemOf(queue.first);
    if (!(item instanceof EvictedTimers)) return item;
    this.loadRecordOf!(item, domain, queue.first); // U4
    return queue.itemOf(queue.first) as Timer;
  }

  /** The window of the timer that is due next in its domain. */
  windowOfNext(domain: FamilySpec["domain"]): WindowRecords {
    const queue = this.queueOf(domain);
    const item = queue.itemOf(queue.first);
    return item instanceof EvictedTimers ? item.of : item.record.of;
  }

  /** Takes {@link next}: it is not set any more. */
  take(timer: Timer): void {
    this.save(timer);
    this.queueOf(timer.family.domain).take();
    timer.slot = NO_SLOT;
    timer.record.pending--;
    this.putHold(timer, Infinity);
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
    return this.event.size + this.processing.size + this.sorting.size + this.holds.size;
  }

  /** Takes back all timers of a record, for good. */
  forget(record: KeyedRecord): void {
    if (record.pending === 0) return;
    for (let timer = record.timers; timer !== undefined; timer = timer.next) this.put(timer, Infinity, Infinity, Infinity);
  }

  /** U4: a timer's alarms name `evicted` from now on, and it has none. */
  detach(timer: Timer, evicted: EvictedTimers): void {
    this.queueOf(timer.family.domain).rename(timer.slot, evicted);
    if (timer.holdSlot !== NO_SLOT) this.holds.rename(timer.holdSlot, evicted);
    timer.slot = NO_SLOT;
    timer.holdSlot = NO_SLOT;
  }

  /** U4: a timer of a record has these alarms from now on. */
  attach(record: KeyedRecord, family: FamilySpec, tag: string, slot: Slot, holdSlot: Slot): void {
    const timer = record.timerOf(family, tag) ?? record.addTimer(family, tag);
    this.queueOf(family.domain).rename(slot, timer);
    if (holdSlot !== NO_SLOT) this.holds.rename(holdSlot, timer);
    timer.slot = slot;
    timer.holdSlot = holdSlot;
    record.pending++;
  }

  /** U4: sets an alarm for a timer of a record that is on disk. */
  addEvicted(evicted: EvictedTimers, domain: FamilySpec["domain"], due: Timestamp, outputAt: Timestamp): Slot {
    return this.queueOf(domain).add(evicted, due, outputAt);
  }

  /** U4: has such a timer hold the output watermark. */
  holdEvicted(evicted: EvictedTimers, holdAt: Timestamp): Slot {
    return this.holds.add(evicted, holdAt);
  }

  /** U4: takes back the alarms of a timer that is on disk, for good. */
  forgetEvicted(family: FamilySpec, slot: Slot, holdSlot: Slot): void {
    this.queueOf(family.domain).remove(slot);
    if (holdSlot !== NO_SLOT) this.holds.remove(holdSlot);
  }

  queueOf(domain: FamilySpec["domain"]): Alarms {
    return domain === "event" ? this.event : domain === "processing" ? this.processing : this.sorting;
  }

  private save(timer: Timer): void {
    if (timer.savedIn === this.log.bundle) return;
    timer.savedIn = this.log.bundle;
    const { slot, holdSlot } = timer;
    const queue = this.queueOf(timer.family.domain);
    this.changed.push(timer);
    this.before.push(slot === NO_SLOT ? Infinity : queue.dueOf(slot));
    this.before.push(slot === NO_SLOT ? Infinity : queue.noteOf(slot));
    this.before.push(holdSlot === NO_SLOT ? Infinity : this.holds.dueOf(holdSlot));
  }

  /** Sets it, or takes it back with Infinity, whatever it was. */
  private put(timer: Timer, due: Timestamp, outputAt: Timestamp, holdAt: Timestamp): void {
    const queue = this.queueOf(timer.family.domain);
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
