// State and timers of all keys and windows of one task, and the cells through which its executor sees those of one of them.
//
// K1. The cells are about the record that was selected last.
// K2. What a bundle changes is there at once; until {@link KeyedStore.commit} it can be taken back.
// K3. A record that is empty when a bundle is over goes, unless its expiration is to be told.
// K4. Elements that are wanted by time wait in a cell of their record, the last one, and a timer of the record tells when the earliest has its turn:
//     so they are taken back with a bundle, dropped with a window, and kept like any other state.
// K5. A record that is on disk ({@link KeyedStore.evicted}) comes back before anybody sees it.
import {
  PipelineError,
  type BagCell,
  type KeyedState,
  type MultimapCell,
  type OrderedListCell,
  type TimerCells,
  type ValueCell,
} from "../../portability/stage-host/index.js";
import { GLOBAL_WINDOW_MAX_TIMESTAMP, MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp, type Window } from "../../portability/values/index.js";
import type { ChangeLog } from "../snapshot/index.js";
import { WindowMap, type StateKey } from "../store/index.js";
import { InstantQueue } from "../windows/index.js";
import { UndoLog } from "./undo-log.js";
import { bagCell, multimapCell, orderedListCell, valueCell } from "./cells.js";
import { NO_SLOT } from "./alarm-queue.js";
import type { EvictedRecords, EvictedWindow } from "./evicted-records.js";
import type { KeyedRecord, WindowRecords } from "./keyed-record.js";
import { SORTING, type CellSpec, type FamilySpec, type KeyedSpec } from "./keyed-spec.js";
import { RecordTable } from "./record-table.js";
import { ReusedList } from "./reused-list.js";
import { SortedElements, type WaitingElement } from "./sorted-elements.js";
import { UserTimers } from "./user-timers.js";

export class KeyedStore implements KeyedState {
  readonly log = new UndoLog();
  readonly pendingTimers = new UserTimers(this.log);
  /** Windows by the instant of their expiry. */
  readonly expiring = new InstantQueue<WindowRecords>();
  /** K1 */
  selected!: KeyedRecord;
  inputWatermark: Timestamp = MIN_TIMESTAMP;
  /** Whether timers of processing time may be set: what would wait for ever is dropped. */
  takesProcessingTimers = true;
  /** Told of each record before it changes, where there are snapshots. */
  changes: ChangeLog<KeyedRecord> | undefined;
  /** K5: what does not fit into memory, where there is a limit. */
  evicted: EvictedRecords | undefined;
  /** Whether timers of event time may be set in windows without an end. */
  takesEndlessTimers = true;
  private readonly windows = new WindowMap<WindowRecords>();
  private readonly noCells: unknown[];
  /** K4 */
  private readonly sortedCell: number;
  /** Records that the bundle has changed, … */
  private readonly written = new ReusedList<KeyedRecord>();
  /** … the one that it has changed last, … */
  private writing: KeyedRecord | undefined;
  /** … and those that were empty then, some of them several times (K3): looked at while they are at hand, not all of them once more in the end. */
  private readonly leftEmpty = new ReusedList<KeyedRecord>();

  constructor(
    readonly spec: KeyedSpec,
    private readonly now: () => Timestamp,
  ) {
    this.noCells = spec.cells.map(() => undefined);
    this.sortedCell = this.noCells.length;
    if (spec.isTimeSorted === true) this.noCells.push(undefined);
  }

  /** Selects the record of a key and window; false, and nothing is selected, if the window has expired. */
  select(key: unknown, window: Window): boolean {
    const of = this.recordsOf(window);
    if (of === undefined) return false;
    const id = this.spec.keys.identify(key);
    const hash = this.spec.keys.hash(id);
    let record = of.records.get(id, hash);
    if (record !== undefined) record.isHot = true;
    else {
      record = this.evicted?.load(of, id, hash, key);
      if (record === undefined) this.write((record = this.add(of, id, hash, key)));
    }
    this.selected = record;
    return true;
  }

  /** The records of a window; undefined if it has expired. */
  recordsOf(window: Window): WindowRecords | undefined {
    return this.windows.get(window) ?? this.openWindow(window);
  }

  /** Adds a record, with empty cells, of a key that has none. */
  add(of: WindowRecords, id: StateKey, hash: number, key: unknown): KeyedRecord {
    const record = of.records.add(id, hash, key, this.noCells);
    this.evicted?.added(record);
    return record;
  }

  /** Selects a record that is about to change; it may be empty when the bundle is over. */
  write(record: KeyedRecord): void {
    this.selected = record;
    if (record === this.writing) return;
    this.leave();
    this.writing = record;
    if (record.writtenIn === this.log.bundle) return;
    record.writtenIn = this.log.bundle;
    this.changes?.touch(record);
    this.evicted?.changes(record);
    this.written.push(record);
  }

  /** K4: has an element wait in the selected record. */
  keep(waiting: WaitingElement): void {
    const { selected, log } = this;
    this.write(selected);
    let elements = selected.get(this.sortedCell) as SortedElements | undefined;
    if (elements === undefined) selected.set(this.sortedCell, (elements = new SortedElements()), log);
    elements.add(waiting, log);
    const timer = selected.timerOf(SORTING, "");
    const { timestamp } = waiting.meta;
    if (timer === undefined || timer.slot === NO_SLOT || timestamp < this.pendingTimers.sorting.dueOf(timer.slot))
      this.awaitTurn(selected, timestamp);
  }

  /** K4: takes the element whose turn it is, and selects its record. */
  takeKept(): WaitingElement {
    const timer = this.pendingTimers.next("sorting");
    const { record } = timer;
    this.write(record);
    this.pendingTimers.take(timer);
    const elements = record.get(this.sortedCell) as SortedElements;
    const taken = elements.take(this.log);
    if (elements.size === 0) record.set(this.sortedCell, undefined, this.log);
    else this.awaitTurn(record, elements.next);
    return taken;
  }

  /** Makes the bundle's changes final. */
  commit(): void {
    this.pendingTimers.commit();
    this.log.commit();
    this.leave();
    this.endBundle(this.leftEmpty);
  }

  /** Takes the bundle's changes back. */
  rollback(): void {
    this.pendingTimers.rollback();
    this.log.rollback();
    this.endBundle(this.written);
  }

  /** Removes a record that is not wanted any more, for good. */
  remove(record: KeyedRecord): void {
    this.changes?.touch(record);
    this.pendingTimers.forget(record);
    record.clear();
    this.evicted?.removed(record);
    record.of.records.remove(record);
  }

  /** Drops a window that has expired. */
  drop(of: WindowRecords): void {
    for (const record of of.records.values()) {
      this.changes?.touch(record);
      this.pendingTimers.forget(record);
      this.evicted?.removed(record);
    }
    this.evicted?.drop(of);
    this.windows.delete(of.window);
  }

  /** Whether the record is there still: one that may be asked about serves no other key. */
  has({ of, inUse }: KeyedRecord): boolean {
    return inUse && this.windows.get(of.window) === of;
  }

  /** Windows and records that there are, for metrics and tests. */
  get size(): { readonly windows: number; readonly records: number } {
    let records = 0;
    for (const of of this.windows.values()) records += of.records.size + (of.evicted?.table.size ?? 0);
    return { windows: this.windows.size, records };
  }

  get openWindows(): IterableIterator<WindowRecords> {
    return this.windows.values();
  }

  value(id: string): ValueCell {
    return valueCell(this, this.indexOf(id, "value"));
  }

  bag(id: string): BagCell {
    return bagCell(this, this.indexOf(id, "bag"));
  }

  multimap(id: string): MultimapCell {
    const index = this.indexOf(id, "multimap");
    const { mapKeys } = this.spec.cells[index] as Extract<CellSpec, { kind: "multimap" }>;
    return multimapCell(this, index, mapKeys);
  }

  orderedList(id: string): OrderedListCell {
    return orderedListCell(this, this.indexOf(id, "ordered-list"));
  }

  timers(familyId: string): TimerCells {
    const { families } = this.spec;
    const family = families.find(({ id }) => id === familyId);
    if (family === undefined) throw new PipelineError("unknown_timer", `there is no timer family "${familyId}"`);
    return this.timersOf(family);
  }

  expiryOf({ maxTimestamp }: Window): Timestamp {
    return Math.min(maxTimestamp + this.spec.allowedLatenessMs, MAX_TIMESTAMP - 2); // before the end of time, where everything has expired
  }

  /** An element that is behind the end of its window, which nobody forbids, has its turn before that expires. */
  private awaitTurn(record: KeyedRecord, timestamp: Timestamp): void {
    const at = Math.min(timestamp, record.of.expiresAt);
    this.pendingTimers.set(record, SORTING, "", at, at, false);
  }

  private timersOf(family: FamilySpec): TimerCells {
    const timeOf = (): Timestamp => (family.domain === "event" ? this.inputWatermark : this.now());
    const { pendingTimers } = this;
    const store = this as KeyedStore;
    return {
      get now() {
        return timeOf();
      },
      set(tag, fireAt, outputAt, holds) {
        if (family.domain === "processing" ? !store.takesProcessingTimers : !store.takesEndlessTimers && isEndless(store.selected)) return;
        store.write(store.selected);
        pendingTimers.set(store.selected, family, tag, fireAt, outputAt, holds);
      },
      clear(tag) {
        store.write(store.selected);
        pendingTimers.clear(store.selected, family, tag);
      },
    };
  }

  private indexOf(id: string, kind: CellSpec["kind"]): number {
    const index = this.spec.cells.findIndex((cell) => cell.id === id && cell.kind === kind);
    if (index < 0) throw new PipelineError("unknown_state", `there is no ${kind} state "${id}"`);
    return index;
  }

  /** Undefined if it has expired. */
  private openWindow(window: Window): WindowRecords | undefined {
    const expiresAt = this.expiryOf(window);
    if (expiresAt < this.inputWatermark) return undefined;
    const of: WindowRecords = new OpenWindow(window, expiresAt);
    this.windows.set(window, of);
    this.expiring.add(expiresAt, of);
    return of;
  }

  /** Nothing more is changed of the record that was changed last, unless it is selected again. */
  private leave(): void {
    if (this.writing?.isEmpty === true) this.leftEmpty.push(this.writing);
  }

  /** @param mayGo records that may be empty (K3) */
  private endBundle(mayGo: ReusedList<KeyedRecord>): void {
    if (this.spec.expirationFamily === undefined)
      for (let i = 0; i < mayGo.size; i++) {
        const record = mayGo.at(i);
        if (!record.inUse || !record.isEmpty) continue;
        this.evicted?.removed(record);
        record.of.records.remove(record);
      }
    this.evicted?.endBundle();
    this.written.clear();
    this.leftEmpty.clear();
    this.writing = undefined;
  }
}

class OpenWindow implements WindowRecords {
  readonly records = new RecordTable(this);
  evicted: EvictedWindow | undefined;

  constructor(
    readonly window: Window,
    readonly expiresAt: Timestamp,
  ) {}
}

function isEndless({ of }: KeyedRecord): boolean {
  return of.window.maxTimestamp === GLOBAL_WINDOW_MAX_TIMESTAMP;
}
