// State and timers of all keys and windows of one task, and the cells through which its executor sees those of one of them.
//
// K1. The cells are about the record that was selected last.
// K2. What a bundle changes is there at once; until {@link KeyedStore.commit} it can be taken back.
// K3. A record that is empty when a bundle is over goes, unless its expiration is to be told.
import {
  PipelineError,
  type BagCell,
  type KeyedState,
  type MultimapCell,
  type OrderedListCell,
  type TimerCells,
  type ValueCell,
} from "../../portability/stage-host/index.js";
import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp, type Window } from "../../portability/values/index.js";
import { WindowMap } from "../store/index.js";
import { InstantQueue } from "../windows/index.js";
import { UndoLog } from "./undo-log.js";
import { bagCell, multimapCell, orderedListCell, valueCell } from "./cells.js";
import { KeyedRecord, type WindowRecords } from "./keyed-record.js";
import type { CellSpec, FamilySpec, KeyedSpec } from "./keyed-spec.js";
import { ReusedList } from "./reused-list.js";
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
  private readonly windows = new WindowMap<WindowRecords>();
  private readonly noCells: unknown[];
  /** K3 */
  private readonly written = new ReusedList<KeyedRecord>();

  constructor(
    readonly spec: KeyedSpec,
    private readonly now: () => Timestamp,
  ) {
    this.noCells = spec.cells.map(() => undefined);
  }

  /** Selects the record of a key and window; false, and nothing is selected, if the window has expired. */
  select(key: unknown, window: Window): boolean {
    const of = this.windows.get(window) ?? this.openWindow(window);
    if (of === undefined) return false;
    const id = this.spec.keys.identify(key);
    let record = of.records.get(id);
    if (record === undefined) {
      record = new KeyedRecord(of, id, key, this.noCells.length === 0 ? this.noCells : this.noCells.slice());
      of.records.set(id, record);
      this.write(record);
    }
    this.selected = record;
    return true;
  }

  /** Selects a record, and keeps in mind that it may be empty when the bundle is over. */
  write(record: KeyedRecord): void {
    this.selected = record;
    if (record.writtenIn === this.log.bundle) return;
    record.writtenIn = this.log.bundle;
    this.written.push(record);
  }

  /** Makes the bundle's changes final. */
  commit(): void {
    this.pendingTimers.commit();
    this.log.commit();
    this.forgetEmptyRecords();
  }

  /** Takes the bundle's changes back. */
  rollback(): void {
    this.pendingTimers.rollback();
    this.log.rollback();
    this.forgetEmptyRecords();
  }

  /** Drops a window that has expired. */
  drop(of: WindowRecords): void {
    for (const record of of.records.values()) this.pendingTimers.forget(record);
    this.windows.delete(of.window);
  }

  /** Windows and records that there are, for metrics and tests. */
  get size(): { readonly windows: number; readonly records: number } {
    let records = 0;
    for (const of of this.windows.values()) records += of.records.size;
    return { windows: this.windows.size, records };
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

  private timersOf(family: FamilySpec): TimerCells {
    const timeOf = (): Timestamp => (family.domain === "event" ? this.inputWatermark : this.now());
    const { pendingTimers } = this;
    const store = this as KeyedStore;
    return {
      get now() {
        return timeOf();
      },
      set(tag, fireAt, outputAt, holds) {
        if (family.domain === "processing" && !store.takesProcessingTimers) return;
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
    const of = { window, expiresAt, records: new Map() };
    this.windows.set(window, of);
    this.expiring.add(expiresAt, of);
    return of;
  }

  private forgetEmptyRecords(): void {
    const { written } = this;
    if (this.spec.expirationFamily === undefined)
      for (let i = 0; i < written.size; i++) {
        const record = written.at(i);
        if (record.isEmpty) record.of.records.delete(record.id);
      }
    written.clear();
  }
}
