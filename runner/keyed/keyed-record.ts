import type { Timestamp, Window } from "../../portability/values/index.js";
import type { StateKey } from "../store/index.js";
import { NO_SLOT, type Slot } from "./alarm-queue.js";
import type { UndoLog, Restorable } from "./undo-log.js";
import type { FamilySpec } from "./keyed-spec.js";

const NOTHING: readonly unknown[] = Object.freeze([]);

/** All records of one window. */
export interface WindowRecords {
  readonly window: Window;
  /** The last instant at which the window has state. */
  readonly expiresAt: Timestamp;
  readonly records: Map<StateKey, KeyedRecord>;
}

/** The state and the timers of one key and window. */
export class KeyedRecord implements Restorable<readonly unknown[]> {
  /** The bundle in which it was written last, and what it held before. */
  private savedIn = 0;
  private saved: readonly unknown[] = NOTHING;
  /** The first of its timers, which name one another; there are few for most keys. */
  timers: Timer | undefined;
  /** The same by family and tag, where they are many. */
  private byTag: Map<string, Timer> | undefined;
  /** The bundle that may have left it empty. */
  writtenIn = 0;
  /** Timers that are set. */
  pending = 0;

  constructor(
    readonly of: WindowRecords,
    readonly id: StateKey,
    readonly key: unknown,
    /** What each cell holds; undefined where it is empty. */
    private cells: unknown[],
  ) {}

  get(cell: number): unknown {
    return this.cells[cell];
  }

  set(cell: number, content: unknown, log: UndoLog): void {
    this.touch(log);
    this.cells[cell] = content;
  }

  /** Whether a cell holds something else than before the bundle. */
  isFresh(cell: number, log: UndoLog): boolean {
    return this.savedIn === log.bundle && this.saved[cell] !== this.cells[cell];
  }

  /** Whether it makes no difference if it is there. */
  get isEmpty(): boolean {
    if (this.pending > 0) return false;
    for (let i = 0; i < this.cells.length; i++) if (this.cells[i] !== undefined) return false;
    return true;
  }

  timerOf(family: FamilySpec, tag: string): Timer | undefined {
    if (this.byTag !== undefined) return this.byTag.get(`${family.id} ${tag}`);
    let timer = this.timers;
    while (timer !== undefined && (timer.tag !== tag || timer.family !== family)) timer = timer.next;
    return timer;
  }

  addTimer(timer: Timer): void {
    timer.next = this.timers;
    this.timers = timer;
    if (this.byTag !== undefined) this.byTag.set(idOf(timer), timer);
    else if (this.hasMany()) this.index();
  }

  private hasMany(): boolean {
    let left = FEW;
    for (let timer = this.timers; timer !== undefined; timer = timer.next) if (left-- === 0) return true;
    return false;
  }

  private index(): void {
    this.byTag = new Map();
    for (let timer = this.timers; timer !== undefined; timer = timer.next) this.byTag.set(idOf(timer), timer);
  }

  private touch(log: UndoLog): void {
    if (this.savedIn === log.bundle) return;
    this.savedIn = log.bundle;
    this.saved = this.cells.slice();
    log.save(this, this.saved);
  }

  restore(saved: readonly unknown[]): void {
    this.cells = saved.slice();
  }
}

const idOf = ({ family, tag }: Timer): string => `${family.id} ${tag}`;

/** Timers of a record that are looked through one by one. */
const FEW = 8;

/** One timer: there is an object for each key, window, family and tag that has ever been set, until the record goes. */
export class Timer {
  /** Its alarm, noted with the timestamp of what it puts out; {@link NO_SLOT} if it is not set. */
  slot: Slot = NO_SLOT;
  /** Where it holds the output watermark, if it does. */
  holdSlot: Slot = NO_SLOT;
  /** Another one of the record. */
  next: Timer | undefined;
  /** The bundle in which it was saved last. */
  savedIn = 0;

  constructor(
    readonly record: KeyedRecord,
    readonly family: FamilySpec,
    readonly tag: string,
  ) {}
}
