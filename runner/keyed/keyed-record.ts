import type { Timestamp, Window } from "../../portability/values/index.js";
import type { StateKey } from "../store/index.js";
import type { RecordTable } from "./record-table.js";
import { NO_SLOT, type Slot } from "./alarm-queue.js";
import type { EvictedWindow } from "./evicted-records.js";
import type { UndoLog, Restorable } from "./undo-log.js";
import type { FamilySpec } from "./keyed-spec.js";

const NOTHING: readonly unknown[] = Object.freeze([]);

/** Of a record that has no timer. */
const NO_TIMER: FamilySpec = { id: "", domain: "event" };

/** All records of one window. */
export interface WindowRecords {
  readonly window: Window;
  /** The last instant at which the window has state. */
  readonly expiresAt: Timestamp;
  /** Those in memory. */
  readonly records: RecordTable;
  /** Those on disk, if there ever were any. */
  evicted: EvictedWindow | undefined;
}

/** One timer of a record: of a family and tag that has ever been set, until the record goes. */
export abstract class Timer {
  /** Its alarm, noted with the timestamp of what it puts out; {@link NO_SLOT} if it is not set. */
  slot: Slot = NO_SLOT;
  /** Where it holds the output watermark, if it does. */
  holdSlot: Slot = NO_SLOT;
  /** The bundle in which it was saved last. */
  savedIn = 0;
  /** Another one of the record. */
  next: Timer | undefined;

  abstract readonly record: KeyedRecord;
  abstract readonly family: FamilySpec;
  abstract readonly tag: string;
}

/**
 * The state and the timers of one key and window; after that one has gone, those of another key (R1 of {@link RecordTable}). It is its own first timer,
 * since most records have no other: what belongs together lies together, and there is an object less to look for in memory.
 */
export class KeyedRecord extends Timer implements Restorable<readonly unknown[]> {
  /** As a timer. */
  family: FamilySpec = NO_TIMER;
  tag = "";
  /** Timers that are set. */
  pending = 0;
  /** The bundle that may have left it empty. */
  writtenIn = 0;
  /** Of the log of changes since the last snapshot. */
  changedIn = 0;
  /** Whether its key has it still. */
  inUse = true;
  /** Whether it was asked for since the hand of a clock has passed it (see clock-hand.ts). */
  isHot = false;
  /** What it takes in memory, by the last estimate, and how often it may change until there is another one. */
  bytes = 0;
  untilSized = 0;
  /** The bundle in which its cells were saved last, and what they held before. */
  private cellsSavedIn = 0;
  private saved: readonly unknown[] = NOTHING;
  /** Its timers by family and tag, where they are many. */
  private byTag: Map<string, Timer> | undefined;

  constructor(
    readonly of: WindowRecords,
    /** Where its table has it. */
    public number: number,
    public id: StateKey,
    /** Of the id, with a sign: others would be objects of their own. */
    public hash: number,
    public key: unknown,
    /** What each cell holds; undefined where it is empty. */
    private cells: unknown[],
  ) {
    super();
  }

  get record(): KeyedRecord {
    return this;
  }

  /** It is of another key from now on; what was there is empty, and nobody has an interest in it. */
  reuse(id: StateKey, hash: number, key: unknown): void {
    this.id = id;
    this.hash = hash;
    this.key = key;
    this.saved = NOTHING;
    this.inUse = true;
    this.isHot = false;
    this.family = NO_TIMER;
    if (this.next === undefined) return;
    this.next = undefined;
    this.byTag = undefined;
  }

  /** Forgets state and timers, which are somewhere else, or not wanted any more: none of its timers is to have an alarm. */
  clear(): void {
    this.cells.fill(undefined);
    this.saved = NOTHING;
    this.pending = 0;
  }

  get(cell: number): unknown {
    return this.cells[cell];
  }

  set(cell: number, content: unknown, log: UndoLog): void {
    this.touch(log);
    this.cells[cell] = content;
  }

  /** Whether a cell holds something else than before the bundle. */
  isFresh(cell: number, log: UndoLog): boolean {
    return this.cellsSavedIn === log.bundle && this.saved[cell] !== this.cells[cell];
  }

  /** Whether it makes no difference if it is there. */
  get isEmpty(): boolean {
    if (this.pending > 0) return false;
    for (let i = 0; i < this.cells.length; i++) if (this.cells[i] !== undefined) return false;
    return true;
  }

  /** The first of its timers, which name one another; there are few for most keys. */
  get timers(): Timer | undefined {
    return this.family === NO_TIMER ? undefined : this;
  }

  timerOf(family: FamilySpec, tag: string): Timer | undefined {
    if (this.family === family && this.tag === tag) return this;
    if (this.byTag !== undefined) return this.byTag.get(idOf(family, tag));
    let timer = this.next;
    while (timer !== undefined && (timer.tag !== tag || timer.family !== family)) timer = timer.next;
    return timer;
  }

  /** Adds a timer that it does not have; it is not set. */
  addTimer(family: FamilySpec, tag: string): Timer {
    if (this.family === NO_TIMER) {
      this.family = family;
      this.tag = tag;
      return this;
    }
    const timer = new FurtherTimer(this, family, tag);
    timer.next = this.next;
    this.next = timer;
    if (this.byTag !== undefined) this.byTag.set(idOf(family, tag), timer);
    else if (this.hasMany()) this.index();
    return timer;
  }

  private hasMany(): boolean {
    let left = FEW;
    for (let timer = this.next; timer !== undefined; timer = timer.next) if (left-- === 0) return true;
    return false;
  }

  private index(): void {
    this.byTag = new Map();
    for (let timer = this.next; timer !== undefined; timer = timer.next) this.byTag.set(idOf(timer.family, timer.tag), timer);
  }

  private touch(log: UndoLog): void {
    if (this.cellsSavedIn === log.bundle) return;
    this.cellsSavedIn = log.bundle;
    this.saved = this.cells.slice();
    log.save(this, this.saved);
  }

  restore(saved: readonly unknown[]): void {
    this.cells = saved.slice();
  }
}

const idOf = (family: FamilySpec, tag: string): string => `${family.id} ${tag}`;

/** Timers of a record that are looked through one by one. */
const FEW = 8;

/** A timer of a record that has others. */
class FurtherTimer extends Timer {
  constructor(
    readonly record: KeyedRecord,
    readonly family: FamilySpec,
    readonly tag: string,
  ) {
    super();
  }
}

/** In the place of the timers of a record that is on disk. */
export class EvictedTimers {
  constructor(
    readonly of: WindowRecords,
    /** Of the key. */
    readonly hash: number,
  ) {}
}
