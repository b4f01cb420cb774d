import type { StateKey } from "../store/index.js";
import { ReusedNumbers } from "./reused-list.js";
import { KeyedRecord, type WindowRecords } from "./keyed-record.js";

/** Slots of the smallest table: so few lie in the heap like any object. */
const LEAST = 8;

/**
 * The records of one window by key. Keys come and go all the time, and a Map would make garbage of each: of its entry, of its record, and of the
 * record's timer.
 *
 * - R1. A record that is removed serves another key later, with the timer that it has, so that neither is made anew; unless a snapshot may still
 *   have to tell that it is gone ({@link KeyedRecord.changedIn}).
 * - R2. There is room for what has been in use lately, a few times as much at most. It is looked at whenever so many have been removed that it
 *   costs them little.
 * - R3. Iterating while records are added and removed is allowed. Those that are added may or may not be seen; where some are removed, so it is with
 *   the others.
 */
export class RecordTable {
  /** Records in use. */
  size = 0;
  /** By number: records in use, and those that wait for another key. */
  private records: KeyedRecord[] = [];
  /** Numbers of those that wait. */
  private free = new ReusedNumbers();
  /** An open-addressing hash table: pairs of a hash, and a number plus one; zero marks a free slot. At most half of it is in use. */
  private slots = new Int32Array(2 * LEAST);
  private shift = 32 - Math.log2(LEAST);
  /** R2: the greatest size since that was looked at last. */
  private peak = 0;
  private untilLook = LEAST;

  constructor(private readonly of: WindowRecords) {}

  /** @param hash of the key's identity, the same each time */
  get(id: StateKey, hash: number): KeyedRecord | undefined {
    const { slots, records } = this;
    const last = slots.length - 1;
    hash |= 0;
    for (let at = homeOf(hash, this.shift); slots[at + 1] !== 0; at = (at + 2) & last) {
      if (slots[at] !== hash) continue;
      const record = records[slots[at + 1] - 1];
      if (record.id === id) return record;
    }
    return undefined;
  }

  /** Adds a record, with empty cells, of a key that has none. */
  add(id: StateKey, hash: number, key: unknown, cells: unknown[]): KeyedRecord {
    if (++this.size * 4 > this.slots.length) this.resize(this.slots.length * 2);
    if (this.size > this.peak) this.peak = this.size;
    const { free, records } = this;
    const number = free.size > 0 ? free.pop() : records.length;
    let record = records[number];
    if (record?.changedIn === 0)
      record.reuse(id, hash | 0, key); // R1
    else records[number] = record = new KeyedRecord(this.of, number, id, hash | 0, key, cells.length === 0 ? cells : cells.slice());
    this.place(hash | 0, number);
    return record;
  }

  /** Removes a record, which is empty. */
  remove(record: KeyedRecord): void {
    const { slots } = this;
    const last = slots.length - 1;
    let at = homeOf(record.hash, this.shift);
    while (slots[at + 1] - 1 !== record.number) at = (at + 2) & last;
    this.empty(at);
    record.inUse = false;
    this.free.push(record.number);
    this.size--;
    if (--this.untilLook === 0) this.look();
  }

  /** Numbers of records are below this. */
  get room(): number {
    return this.records.length;
  }

  /** The record of a number, whether it is in use or not. */
  at(number: number): KeyedRecord {
    return this.records[number];
  }

  *values(): IterableIterator<KeyedRecord> {
    for (let number = 0; number < this.records.length; number++) if (this.records[number].inUse) yield this.records[number];
  }

  private place(hash: number, number: number): void {
    const { slots } = this;
    const last = slots.length - 1;
    let at = homeOf(hash, this.shift);
    while (slots[at + 1] !== 0) at = (at + 2) & last;
    slots[at] = hash;
    slots[at + 1] = number + 1;
  }

  /** Frees a slot, and moves those behind it that would not be found any more (Knuth 6.4, algorithm R). */
  private empty(hole: number): void {
    const { slots, shift } = this;
    const last = slots.length - 1;
    for (let at = (hole + 2) & last; slots[at + 1] !== 0; at = (at + 2) & last) {
      const home = homeOf(slots[at], shift);
      if (((at - home) & last) < ((at - hole) & last)) continue; // its way does not lead over the hole
      slots[hole] = slots[at];
      slots[hole + 1] = slots[at + 1];
      hole = at;
    }
    slots[hole + 1] = 0;
  }

  private resize(length: number): void {
    const { slots } = this;
    this.slots = new Int32Array(length);
    this.shift = 32 - Math.log2(length / 2);
    for (let at = 0; at < slots.length; at += 2) if (slots[at + 1] !== 0) this.place(slots[at], slots[at + 1] - 1);
  }

  /** R2 */
  private look(): void {
    const { peak, slots } = this;
    if (peak * 16 < slots.length && slots.length > 2 * LEAST) this.shrink();
    this.peak = this.size;
    this.untilLook = this.slots.length / 4;
  }

  /** R2: to half of the room. */
  private shrink(): void {
    const { free, peak, records } = this;
    const used = [...this.values()];
    const waiting = Array.from({ length: Math.min(free.size, peak - used.length) }, (_, i) => records[free.at(i)]);
    this.records = [...used, ...waiting];
    this.records.forEach((record, number) => (record.number = number));
    this.free = new ReusedNumbers();
    for (const { number } of waiting) this.free.push(number);
    this.slots.fill(0);
    for (const { hash, number } of used) this.place(hash, number);
    this.resize(this.slots.length / 2);
  }
}

/** Where a hash is looked for first. Fibonacci hashing: the top bits, since keys of one key group may agree in the bottom ones. */
function homeOf(hash: number, shift: number): number {
  return (Math.imul(hash, 0x9e3779b1) >>> shift) << 1;
}
