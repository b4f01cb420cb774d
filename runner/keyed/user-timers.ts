// The timers of a stateful transform, of all keys and windows.
//
// U1. There is at most one for each key, window, family and tag: the one that was set last.
// U2. Event-time timers fire in the order of their times, whenever they were set; so do those of processing time.
// U3. A timer that fires at the time that it puts out at needs no hold: the watermark goes no further before it has fired.
import type { Timestamp } from "../../portability/values/index.js";
import { AlarmQueue, type Alarm } from "./alarm-queue.js";
import { ReusedList, ReusedNumbers } from "./reused-list.js";
import type { UndoLog } from "./undo-log.js";
import { Timer, type KeyedRecord } from "./keyed-record.js";
import type { FamilySpec } from "./keyed-spec.js";

export class UserTimers {
  readonly event = new AlarmQueue<Timer>();
  readonly processing = new AlarmQueue<Timer>();
  private readonly holds = new AlarmQueue<Alarm>();

  /** Timers that the bundle has changed, and three numbers of each: when it was due, put out, and held the watermark. */
  private readonly changed = new ReusedList<Timer>();
  private readonly before = new ReusedNumbers();

  constructor(private readonly log: UndoLog) {}

  /** Sets the timer. */
  set(record: KeyedRecord, family: FamilySpec, tag: string, fireAt: Timestamp, outputAt: Timestamp, holds: boolean): void {
    let timer = record.timerOf(family, tag);
    if (timer === undefined) record.addTimer((timer = new Timer(record, family, tag)));
    this.save(timer, timer.due);
    const needsHold = holds && (family.domain === "processing" || outputAt < fireAt); // U3
    this.put(timer, fireAt, outputAt, needsHold ? outputAt : Infinity);
  }

  clear(record: KeyedRecord, family: FamilySpec, tag: string): void {
    const timer = record.timerOf(family, tag);
    if (timer === undefined || timer.due === Infinity) return;
    this.save(timer, timer.due);
    this.put(timer, Infinity, Infinity, Infinity);
  }

  /** Takes the timer that is due next in its domain, at `fireAt`: it is not set any more. */
  take(domain: FamilySpec["domain"], fireAt: Timestamp): Timer {
    const timer = this[domain].take();
    this.save(timer, fireAt);
    timer.record.pending--;
    if (timer.hold !== undefined) this.holds.set(timer.hold, Infinity);
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

  private save(timer: Timer, due: Timestamp): void {
    if (timer.savedIn === this.log.bundle) return;
    timer.savedIn = this.log.bundle;
    this.changed.push(timer);
    this.before.push(due);
    this.before.push(timer.outputAt);
    this.before.push(timer.hold?.due ?? Infinity);
  }

  private put(timer: Timer, due: Timestamp, outputAt: Timestamp, holdAt: Timestamp): void {
    if (timer.due < Infinity !== due < Infinity) timer.record.pending += due < Infinity ? 1 : -1;
    this[timer.family.domain].set(timer, due);
    timer.outputAt = outputAt;
    if (holdAt < Infinity) timer.hold ??= { due: Infinity, queuedAt: Infinity };
    if (timer.hold !== undefined) this.holds.set(timer.hold, holdAt);
  }

  /** Entries of all queues, those that stand for nothing included: for tests. */
  get size(): number {
    return this.event.size + this.processing.size + this.holds.size;
  }

  /** Takes back all timers of a record, for good. */
  forget(record: KeyedRecord): void {
    if (record.pending === 0) return;
    for (let timer = record.timers; timer !== undefined; timer = timer.next)
      if (timer.due < Infinity) this.put(timer, Infinity, Infinity, Infinity);
  }
}
