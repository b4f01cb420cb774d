// State of a key and window as bytes: its timers, what the cells hold, those that are not empty, and the elements that wait for their time. Timers come
// first, so that a record can be put aside without looking at the rest of it; what is told of them is another thing in snapshots than on disk.
import { WindowedValueCoder, type ByteReader, type ByteWriter, type Coder } from "../../portability/coders/index.js";
import type { Window } from "../../portability/values/index.js";
import { NO_SLOT, type AlarmQueue, type Slot } from "./alarm-queue.js";
import { Bag, Multimap, OrderedList } from "./contents.js";
import type { KeyedRecord } from "./keyed-record.js";
import { SORTING, type CellSpec, type FamilySpec, type KeyedSpec } from "./keyed-spec.js";
import { SortedElements, type WaitingElement } from "./sorted-elements.js";
import { NOT_LOGGED } from "./undo-log.js";

/** How what a store keeps becomes bytes. */
export interface KeyedCoders {
  readonly key: Coder<unknown>;
  readonly window: Coder<Window>;
  /** Of the elements, of which {@link key} is the key's. */
  readonly element: Coder<unknown>;
  /** Of each cell: of its values; of a multimap's keys and, if it has any, values. */
  readonly cells: readonly (readonly Coder<unknown>[])[];
}

export class RecordCodec {
  private readonly waiting: WindowedValueCoder<unknown>;
  /** Behind the declared ones. */
  private readonly sortedCell: number;
  /** By the number that stands for each. */
  private readonly families: readonly FamilySpec[];

  constructor(
    private readonly spec: KeyedSpec,
    readonly coders: KeyedCoders,
  ) {
    this.waiting = new WindowedValueCoder(coders.element, coders.window);
    this.sortedCell = spec.cells.length;
    this.families = [...spec.families, SORTING];
  }

  /** What is in the cells. @throws CoderError if a coder cannot write what one of them holds */
  write(record: KeyedRecord, to: ByteWriter): void {
    const { cells } = this.spec;
    for (let i = 0; i < cells.length; i++) {
      const content = record.get(i);
      if (content === undefined) continue;
      to.writeVarint(i + 1);
      writeContent(cells[i], content, this.coders.cells[i], to);
    }
    to.writeVarint(0);
    const kept = (record.get(this.sortedCell) as SortedElements | undefined)?.elements ?? NONE;
    to.writeVarint(kept.length);
    for (const { element, meta } of kept) this.waiting.encodeParts(element, meta, to);
  }

  /** The timers that are set, each with what `writeAlarm` writes of its alarms. */
  writeTimers({ pending, timers }: KeyedRecord, to: ByteWriter, writeAlarm: WriteAlarm): void {
    to.writeVarint(pending);
    if (pending === 0) return;
    for (let timer = timers; timer !== undefined; timer = timer.next) {
      if (timer.slot === NO_SLOT) continue;
      this.writeTimer(timer.family, timer.tag, to);
      writeAlarm(to, timer.family, timer.slot, timer.holdSlot);
    }
  }

  /** What {@link writeTimers} has written; `readAlarm` reads what there is of the alarms of each. */
  readTimers(from: ByteReader, readAlarm: (family: FamilySpec, tag: string) => void): void {
    for (let left = from.readVarint(); left > 0; left--) {
      const family = this.readFamily(from);
      readAlarm(family, from.readText(from.readLength()));
    }
  }

  /** Writes what it reads, but for alarms, of which `copyAlarm` reads and writes what it likes. Returns how many timers there are. */
  copyTimers(from: ByteReader, to: ByteWriter, copyAlarm: (family: FamilySpec) => void): number {
    const count = from.readVarint();
    to.writeVarint(count);
    for (let left = count; left > 0; left--) {
      const family = this.readFamily(from);
      this.writeTimer(family, from.readText(from.readLength()), to);
      copyAlarm(family);
    }
    return count;
  }

  private writeTimer(family: FamilySpec, tag: string, to: ByteWriter): void {
    to.writeVarint(this.families.indexOf(family));
    to.writeUtf8(tag);
  }

  private readFamily(from: ByteReader): FamilySpec {
    const index = from.readVarint();
    return this.families[index] ?? from.fail(`there is no timer family ${index}`);
  }

  /** Into a record that is empty; it is as if it had been so before the bundle. */
  read(from: ByteReader, record: KeyedRecord): void {
    const { cells } = this.spec;
    for (let cell = from.readVarint(); cell > 0; cell = from.readVarint()) {
      const spec = cells[cell - 1] ?? from.fail(`there is no cell ${cell - 1}`);
      record.set(cell - 1, readContent(spec, this.coders.cells[cell - 1], from), NOT_LOGGED);
    }
    const count = from.readVarint();
    if (count === 0) return;
    const elements = new SortedElements();
    for (let left = count; left > 0; left--) {
      const { value: element, meta } = this.waiting.decode(from, true);
      elements.add({ element, meta }, NOT_LOGGED);
    }
    record.set(this.sortedCell, elements, NOT_LOGGED);
  }
}

/** Writes of the alarms of a timer what there is to be known of them. */
export type WriteAlarm = (to: ByteWriter, family: FamilySpec, slot: Slot, holdSlot: Slot) => void;

type AlarmTimes = Pick<AlarmQueue<unknown>, "dueOf" | "noteOf">;

/** What snapshots tell of the alarms of a timer: when it is due, what it puts out at, and whether it holds the watermark there. */
export function writeTimes(to: ByteWriter, alarms: AlarmTimes, slot: Slot, holdSlot: Slot): void {
  to.writeDouble(alarms.dueOf(slot));
  to.writeDouble(alarms.noteOf(slot));
  to.writeByte(holdSlot === NO_SLOT ? 0 : 1);
}

const NONE: readonly WaitingElement[] = Object.freeze([]);

function writeContent({ kind }: CellSpec, content: unknown, [first, second]: readonly Coder<unknown>[], to: ByteWriter): void {
  switch (kind) {
    case "value":
      return first.encode(content, to, true);
    case "bag":
      return writeValues((content as Bag).values, first, to);
    case "ordered-list": {
      const entries = (content as OrderedList).read(-Infinity, Infinity);
      to.writeVarint(entries.length);
      for (const { sortKey, value } of entries) {
        to.writeDouble(sortKey);
        first.encode(value, to, true);
      }
      return;
    }
    case "multimap": {
      const map = content as Multimap;
      to.writeVarint(map.size);
      for (const key of map.keys()) {
        first.encode(key, to, true);
        const values = map.get(key) ?? [];
        if (second === undefined) to.writeVarint(values.length);
        else writeValues(values, second, to);
      }
    }
  }
}

function writeValues(values: readonly unknown[], coder: Coder<unknown>, to: ByteWriter): void {
  to.writeVarint(values.length);
  for (const value of values) coder.encode(value, to, true);
}

function readContent(spec: CellSpec, [first, second]: readonly Coder<unknown>[], from: ByteReader): unknown {
  const { kind } = spec;
  if (kind === "value") return first.decode(from, true);
  const count = from.readVarint();
  if (kind === "bag") {
    const bag = new Bag();
    for (let i = 0; i < count; i++) bag.add(first.decode(from, true), NOT_LOGGED);
    return bag;
  }
  if (kind === "ordered-list") {
    const list = new OrderedList();
    for (let i = 0; i < count; i++) {
      const sortKey = from.readDouble();
      list.add({ sortKey, value: first.decode(from, true) }, NOT_LOGGED);
    }
    return list;
  }
  const map = new Multimap((spec as Extract<CellSpec, { kind: "multimap" }>).mapKeys);
  for (let i = 0; i < count; i++) {
    const key = first.decode(from, true);
    for (let left = from.readVarint(); left > 0; left--) map.add(key, second === undefined ? true : second.decode(from, true), NOT_LOGGED);
  }
  return map;
}
