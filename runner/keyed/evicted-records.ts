// State that does not fit into memory: records that nobody has asked for lately are written to disk, and come back when somebody does.
//
// V1. A record is in memory or on disk, never both. It goes and comes whole: state, elements that wait, timers.
// V2. Its alarms stay in their queues, so that timers fire in the same order, and hold the watermark at the same place.
// V3. Records go between bundles; at any other time only those that the bundle under way has not changed, and that is not selected.
// V4. Whether it has changed since the last snapshot goes with it, as the epoch (C4 of ChangeLog): what was written to disk in an epoch, and is still
//     in use there when it ends, is in its snapshot ({@link FrozenRecords}). Before it comes back or is moved it is written down, if that is still to
//     be done.
// V5. A window that is dropped stays on disk until the snapshot that is being written is complete.
// V6. What is restored from a checkpoint is here, and decoded when somebody asks for it. A record without timers stays in the checkpoint's file, where it
//     is; others are put to the log as the bytes that they are in there. So to go on from a checkpoint is to read it, and little more.
// V7. Where the disk has no room for what is restored, that is in memory, and nothing goes to disk any more.
// V8. In memory stays where each record is: some sixteen bytes, twelve more in a checkpoint's file, and some eighty for one with timers. Both count as memory of the worker's budget.
import { ByteReader, ByteWriter, type Coder } from "../../portability/coders/index.js";
import type { RecordSink, StoredSection } from "../snapshot/index.js";
import {
  AddressTable,
  RecordLog,
  SpillError,
  type Address,
  type KeyGroups,
  type MemoryBudget,
  type Spillable,
  type SpillFolder,
  type StateKey,
} from "../store/index.js";
import { NO_SLOT, type Slot } from "./alarm-queue.js";
import { ClockHand } from "./clock-hand.js";
import { FrozenRecords } from "./frozen-records.js";
import { epochOf, hashOf, HEADER_BYTES, setEpoch, windowOf, writeHeader } from "./image-header.js";
import { EvictedTimers, type KeyedRecord, type WindowRecords } from "./keyed-record.js";
import type { FamilySpec } from "./keyed-spec.js";
import type { KeyedStore } from "./keyed-store.js";
import { RecordCodec, writeTimes, type KeyedCoders } from "./record-codec.js";
import { RecordSizes } from "./record-sizes.js";
import { ReusedList } from "./reused-list.js";

/** The records of one window that are on disk. */
export interface EvictedWindow {
  readonly number: number;
  readonly table: AddressTable;
  /** How many of them have timers. */
  withTimers: number;
}

export interface EvictionParts {
  readonly coders: KeyedCoders;
  readonly groups: KeyGroups;
  readonly budget: MemoryBudget;
  readonly folder: SpillFolder;
  /** Told of V7, once. */
  readonly full?: (error: SpillError) => void;
  /** Bytes of a file; a default of the log's. */
  readonly segmentBytes?: number;
}

/** Of the budget: how much of it may be in use before records go, and how much one task's records may have whatever the others need. */
const FULL = 7 / 8;
const KEPT = 1 / 16;
/** Records that go after one bundle, at most: it cannot have brought more, and nobody has to wait for long. */
const MOST_AT_ONCE = 4096;
/** V8 */
const ADDRESS_BYTES = 16;
const ALARM_BYTES = 80;
/** A record in a snapshot begins with the hash of its key. */
export const HASH_BYTES = 4;
const NOTHING = new Uint8Array();

export class EvictedRecords implements Spillable {
  private readonly codec: RecordCodec;
  private readonly log: RecordLog;
  private readonly sizes: RecordSizes;
  private readonly hand: ClockHand;
  private readonly reader = new ByteReader(NOTHING);
  private readonly frozenReader = new ByteReader(NOTHING);
  private readonly restored = new ByteReader(NOTHING);
  private readonly lent = new ByteReader(NOTHING);
  /** What {@link reader} reads: a record as it is on disk. */
  private image: Uint8Array = NOTHING;
  /** By number. */
  private readonly windows: (WindowRecords | undefined)[] = [];
  /** Records on disk, and those of them that have timers. */
  private size = 0;
  private withTimers = 0;
  /** Records to be measured when the bundle is over. */
  private readonly unsized = new ReusedList<KeyedRecord>();
  /** What the budget knows of. */
  private charged = 0;
  /** V4: the snapshot that is being written. */
  private frozen: FrozenRecords | undefined;
  private sink: RecordSink | undefined;
  /** V5 */
  private readonly dropped: WindowRecords[] = [];
  /** What the next snapshot has to tell of windows that are gone. */
  private gone: { readonly of: WindowRecords; readonly groups: ReadonlySet<number> }[] = [];
  /** V7 */
  private isFull = false;
  /** The key that is looked for. */
  private readonly wanted = new ByteWriter(64);

  constructor(
    private readonly store: KeyedStore,
    private readonly parts: EvictionParts,
  ) {
    const { coders, budget, folder, segmentBytes } = parts;
    this.codec = new RecordCodec(store.spec, coders);
    this.sizes = new RecordSizes((record, to) => this.codec.write(record, to));
    this.log = new RecordLog(folder, segmentBytes, this.translate);
    this.hand = new ClockHand(() => store.openWindows);
    store.pendingTimers.loadRecordOf = (evicted, domain, slot) => this.loadByAlarm(evicted, domain, slot);
    budget.add(this);
  }

  get heldBytes(): number {
    return this.sizes.held;
  }

  /** What the files have, for tests. */
  get diskBytes(): number {
    return this.log.bytes;
  }

  /** V3 */
  spill(): void {
    const { sizes } = this;
    this.evictUntil(sizes.held / 2, Infinity);
    this.charge();
  }

  /** Brings the record of a key and window back, if it is on disk. @throws SpillError */
  load(of: WindowRecords, id: StateKey, hash: number, key: unknown): KeyedRecord | undefined {
    const { evicted } = of;
    if (evicted === undefined || evicted.table.size === 0) return undefined;
    this.wanted.reset();
    this.wantedKey = key;
    const address = evicted.table.find(hash, this.isWanted);
    return address === 0 ? undefined : this.bringBack(of, id, hash, key, address);
  }

  /** Brings some record of a window back, if there is one on disk. @throws SpillError */
  loadAny(of: WindowRecords): KeyedRecord | undefined {
    const { evicted } = of;
    if (evicted === undefined || evicted.table.size === 0) return undefined;
    const address = evicted.table.any();
    this.read(address);
    return this.bringBackUnknown(of, hashOf(this.image), address);
  }

  added(record: KeyedRecord): void {
    this.sizes.add(record);
  }

  removed(record: KeyedRecord): void {
    this.sizes.remove(record);
  }

  /** A bundle is about to change a record, for the first time. */
  changes(record: KeyedRecord): void {
    if (--record.untilSized < 0) this.unsized.push(record);
  }

  /** The bundle is over. @throws SpillError, CoderError */
  endBundle(): void {
    const { sizes, unsized, parts } = this;
    for (let i = 0; i < unsized.size; i++) if (unsized.at(i).inUse) sizes.measure(unsized.at(i));
    unsized.clear();
    const { limitBytes, usedBytes } = parts.budget;
    const excess = usedBytes - this.charged + this.bytes - limitBytes * FULL;
    if (excess > 0) this.evictUntil(Math.max(sizes.held - excess, limitBytes * KEPT), MOST_AT_ONCE);
    this.charge();
  }

  /** The window expires. @throws SpillError */
  drop(of: WindowRecords): void {
    this.hand.leave(of);
    const { evicted } = of;
    if (evicted === undefined) return;
    const { store, parts } = this;
    if (store.changes !== undefined && evicted.table.size > 0) {
      const groups = new Set<number>();
      evicted.table.forEach((hash) => groups.add(parts.groups.ofHash(hash)));
      this.gone.push({ of, groups });
    }
    if (evicted.withTimers > 0) this.forgetTimers(evicted);
    if (this.frozen === undefined) this.forget(of);
    else this.dropped.push(of);
  }

  /**
   * V6: has a record here, unless it is here already. It is as it is in snapshots: behind its kind it is `[start, end)` of a section, its key
   * `[key, keyEnd)`, its payload `[payload, end)`. False if it is to be decoded into memory instead (V7).
   *
   * @throws SpillError, CoderError
   */
  restore(of: WindowRecords, section: StoredSection, start: number, key: number, keyEnd: number, payload: number, end: number): boolean {
    const { log, store, restored: from } = this;
    const { bytes, file, at = 0 } = section;
    const evicted = (of.evicted ??= this.open(of));
    from.reset(bytes, payload, end);
    const hash = from.readInt32() >>> 0;
    const isKnown = (address: Address): boolean => {
      const its = this.read(address);
      return its.readLength() === keyEnd - key && its.skipIfEqual(bytes.subarray(key, keyEnd));
    };
    if (evicted.table.find(hash, isKnown) !== 0 || (this.isFull && this.isInMemory(of, bytes, key, keyEnd))) return true;
    const hasTimers = from.readVarint() > 0;
    const there = hasTimers || file === undefined ? undefined : log.borrow(file, at + start, end - start, evicted.number);
    if (there !== undefined) {
      evicted.table.add(hash, there);
      this.count(evicted, 1, 0);
      return true;
    }
    if (this.isFull) return false;
    const to = this.unlessFull(this.begin);
    if (to === undefined) return false;
    from.reset(bytes, payload + HASH_BYTES, end);
    const timers = new EvictedTimers(of, hash);
    writeHeader(to, hash, evicted.number, store.changes?.current ?? 0);
    to.writeVarint(keyEnd - key);
    to.writeSlice(bytes, key, keyEnd);
    const count = this.codec.copyTimers(from, to, ({ domain }) => {
      const due = from.readDouble();
      const outputAt = from.readDouble();
      to.writeVarint(store.pendingTimers.addEvicted(timers, domain, due, outputAt));
      const holdSlot = from.readByte() === 1 ? store.pendingTimers.holdEvicted(timers, outputAt) : NO_SLOT;
      to.writeVarint(holdSlot - NO_SLOT);
    });
    to.writeSlice(bytes, from.offset, end);
    evicted.table.add(hash, log.end());
    this.count(evicted, 1, count);
    return true;
  }

  private readonly begin = (): ByteWriter => this.log.begin();

  private isInMemory(of: WindowRecords, bytes: Uint8Array, key: number, keyEnd: number): boolean {
    const { keys } = this.store.spec;
    const id = keys.identify(this.parts.coders.key.decode(new ByteReader(bytes, key, keyEnd), true));
    return of.records.get(id, keys.hash(id)) !== undefined;
  }

  /** V7: undefined if `write` finds the disk full. */
  private unlessFull<T>(write: () => T): T | undefined {
    try {
      return write();
    } catch (error) {
      if (!(error instanceof SpillError)) throw error;
      this.isFull = true;
      for (const of of this.store.openWindows) this.bringAllBack(of);
      this.log.discard();
      this.parts.full?.(error);
      return undefined;
    }
  }

  /** But for those in the checkpoint's files. */
  private bringAllBack(of: WindowRecords): void {
    const own: (readonly [hash: number, address: Address])[] = [];
    of.evicted?.table.forEach((hash, address) => {
      if (!this.log.isBorrowed(address)) own.push([hash, address]);
    });
    for (const [hash, address] of own) {
      this.read(address);
      this.bringBackUnknown(of, hash, address);
    }
  }

  /** V6: a record of a checkpoint's file, without timers, as it would be in the log; it has not changed since the last snapshot. */
  private readonly translate = (written: Uint8Array, window: number, to: ByteWriter): void => {
    const { lent: from, parts } = this;
    from.reset(written);
    const idLength = from.readLength();
    const idEnd = from.offset + idLength;
    parts.coders.window.decode(from, true);
    const key = from.offset;
    from.skip(idEnd - key);
    from.readLength();
    writeHeader(to, from.readInt32() >>> 0, window, 0);
    to.writeVarint(idEnd - key);
    to.writeSlice(written, key, idEnd);
    to.writeSlice(written, from.offset, written.length);
  };

  /** V6: what was restored is where it was. */
  settle(): void {
    this.unlessFull(() => this.log.cut());
  }

  /** V4: `epoch` is over. */
  freeze(sink: RecordSink, epoch: number): void {
    this.sink = sink;
    this.frozen = new FrozenRecords({ log: this.log, isOf: this.isOf, writeRecord: this.writeRecord }, epoch);
    for (const { of, groups } of this.gone.splice(0))
      for (const group of groups) {
        this.parts.coders.window.encode(of.window, sink.beginDrop(group), true);
        sink.end();
      }
  }

  /** Writes frozen records until none is left, then true, or until `pause` says so, then false. @throws SpillError */
  write(pause: () => boolean): boolean {
    if (this.frozen?.write(pause) === false) return false;
    this.frozen = undefined;
    for (const of of this.dropped.splice(0)) this.forget(of);
    return true;
  }

  /** All that counts for the budget (V8). */
  private get bytes(): number {
    return this.sizes.held + this.size * ADDRESS_BYTES + this.withTimers * ALARM_BYTES;
  }

  private charge(): void {
    const { bytes, charged } = this;
    this.charged = bytes;
    this.parts.budget.change(bytes - charged);
  }

  private evictUntil(held: number, most: number): void {
    if (this.isFull) return;
    const { sizes, hand, log } = this;
    const before = log.appendedBytes;
    for (let left = most; left > 0 && sizes.held > held; left--) {
      const record = hand.next(this.mayGo);
      if (record === undefined) break;
      this.evict(record);
    }
    log.tidy(log.appendedBytes - before, this.move);
  }

  /** V3 */
  private readonly mayGo = (record: KeyedRecord): boolean => record.writtenIn !== this.store.log.bundle && record !== this.store.selected;

  private evict(record: KeyedRecord): void {
    const { log, store, parts } = this;
    const { of, hash } = record;
    const evicted = (of.evicted ??= this.open(of));
    const to = log.begin();
    try {
      writeHeader(to, hash, evicted.number, store.changes?.leave(record) ?? 0);
      writeKey(parts.coders.key, record.key, to);
      this.codec.writeTimers(record, to, writeSlots);
      this.codec.write(record, to);
    } catch (error) {
      log.cancel();
      throw error;
    }
    if (record.pending > 0) this.detachTimers(record);
    evicted.table.add(hash, log.end());
    this.count(evicted, 1, record.pending);
    this.sizes.remove(record);
    record.clear();
    of.records.remove(record);
  }

  /** V2 */
  private detachTimers(record: KeyedRecord): void {
    const evicted = new EvictedTimers(record.of, record.hash);
    for (let timer = record.timers; timer !== undefined; timer = timer.next)
      if (timer.slot !== NO_SLOT) this.store.pendingTimers.detach(timer, evicted);
  }

  private eachTimer(from: ByteReader, tell: (family: FamilySpec, tag: string, slot: Slot, holdSlot: Slot) => void): void {
    this.codec.readTimers(from, (family, tag) => {
      const slot = from.readVarint();
      tell(family, tag, slot, from.readVarint() + NO_SLOT);
    });
  }

  private wantedKey: unknown;
  private readonly isWanted = (address: Address): boolean => {
    const { wanted } = this;
    if (wanted.length === 0) writeKey(this.parts.coders.key, this.wantedKey, wanted);
    return this.read(address).skipIfEqual(wanted.view());
  };

  /** V2: the alarm is one of this record's. */
  private loadByAlarm({ of, hash }: EvictedTimers, domain: FamilySpec["domain"], slot: Slot): void {
    const address = of.evicted!.table.find(hash, (each) => {
      let isIt = false;
      const from = this.read(each);
      from.skip(from.readLength());
      this.eachTimer(from, (family, _tag, its) => (isIt ||= its === slot && family.domain === domain));
      return isIt;
    });
    this.bringBackUnknown(of, hash, address);
  }

  /** The record behind its header. */
  private read(address: Address): ByteReader {
    this.image = this.log.read(address);
    this.reader.reset(this.image, HEADER_BYTES);
    return this.reader;
  }

  private bringBackUnknown(of: WindowRecords, hash: number, address: Address): KeyedRecord {
    const from = this.read(address);
    from.readLength();
    const key = this.parts.coders.key.decode(from, true);
    return this.bringBack(of, this.store.spec.keys.identify(key), hash, key, address);
  }

  /** The record was read as far as to the end of its key. */
  private bringBack(of: WindowRecords, id: StateKey, hash: number, key: unknown, address: Address): KeyedRecord {
    const { store, reader, image } = this;
    const epoch = this.epochToKeep(address, image);
    const record = store.add(of, id, hash, key);
    this.eachTimer(reader, (family, tag, slot, holdSlot) => store.pendingTimers.attach(record, family, tag, slot, holdSlot));
    this.codec.read(reader, record);
    store.changes?.comeBack(record, epoch);
    const evicted = of.evicted!;
    evicted.table.remove(hash, address);
    this.count(evicted, -1, record.pending);
    this.log.release(address, image.length);
    this.sizes.know(record, image.length);
    return record;
  }

  /** What is in use of a file that goes is written to another one. */
  private readonly move = (address: Address, image: Uint8Array): void => {
    const { log } = this;
    const { table } = this.windows[windowOf(image)]?.evicted ?? {};
    const hash = hashOf(image);
    if (table?.has(hash, address) !== true) return;
    setEpoch(image, this.epochToKeep(address, image));
    log.begin().writeBytes(image);
    table.replace(hash, address, log.end());
    log.release(address, image.length);
  };

  /** V4 */
  private epochToKeep(address: Address, image: Uint8Array): number {
    const epoch = epochOf(image);
    if (this.frozen?.isPending(epoch, address) === true) this.writeRecord(image);
    return epoch === this.store.changes?.current ? epoch : 0;
  }

  private readonly isOf = (epoch: number, address: Address, image: Uint8Array): boolean =>
    epochOf(image) === epoch && this.windows[windowOf(image)]?.evicted?.table.has(hashOf(image), address) === true;

  private readonly writeRecord = (image: Uint8Array): void => {
    const { parts, sink, frozenReader: from } = this;
    const { window } = this.windows[windowOf(image)]!;
    from.reset(image, HEADER_BYTES);
    const hash = hashOf(image);
    const to = sink!.beginPut(parts.groups.ofHash(hash));
    parts.coders.window.encode(window, to, true);
    to.writeBytes(from.readBytes(from.readLength()));
    sink!.beginPayload();
    to.writeInt32(hash);
    this.codec.copyTimers(from, to, ({ domain }) => {
      const slot = from.readVarint();
      writeTimes(to, this.store.pendingTimers.queueOf(domain), slot, from.readVarint() + NO_SLOT);
    });
    to.writeSlice(image, from.offset, image.length);
    sink!.end();
  };

  /** What a snapshot has to tell of timers is written before. */
  private forgetTimers(evicted: EvictedWindow): void {
    const { table } = evicted;
    const written: (readonly [hash: number, address: Address])[] = [];
    table.forEach((hash, address) => {
      const from = this.read(address);
      if (this.frozen?.isPending(epochOf(this.image), address) === true) {
        this.writeRecord(this.image);
        written.push([hash, address]);
      }
      from.skip(from.readLength());
      this.eachTimer(from, (family, _tag, slot, holdSlot) => this.store.pendingTimers.forgetEvicted(family, slot, holdSlot));
    });
    this.withTimers -= evicted.withTimers;
    evicted.withTimers = 0;
    for (const [hash, address] of written) {
      table.remove(hash, address);
      this.log.release(address);
      this.size--;
    }
  }

  private count(evicted: EvictedWindow, records: 1 | -1, timers: number): void {
    this.size += records;
    if (timers === 0) return;
    evicted.withTimers += records;
    this.withTimers += records;
  }

  private open(of: WindowRecords): EvictedWindow {
    const free = this.windows.indexOf(undefined);
    const number = free < 0 ? this.windows.length : free;
    this.windows[number] = of;
    return { number, table: new AddressTable(), withTimers: 0 };
  }

  private forget(of: WindowRecords): void {
    const { number, table, withTimers } = of.evicted!;
    table.forEach((_hash, address) => this.log.release(address));
    this.size -= table.size;
    this.withTimers -= withTimers;
    this.windows[number] = undefined;
    of.evicted = undefined;
  }
}

function writeSlots(to: ByteWriter, _family: FamilySpec, slot: Slot, holdSlot: Slot): void {
  to.writeVarint(slot);
  to.writeVarint(holdSlot - NO_SLOT);
}

function writeKey(coder: Coder<unknown>, key: unknown, to: ByteWriter): void {
  const start = to.beginLengthPrefixed();
  coder.encode(key, to, true);
  to.endLengthPrefixed(start);
}
