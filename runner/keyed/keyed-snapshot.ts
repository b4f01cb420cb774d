// State and timers of a stateful transform in snapshots: a record for each key and window.
//
// The id is window and key; the payload is the hash of the key, four bytes, and what record-codec.ts writes, with the times of timers.
import { ByteReader, type ByteWriter } from "../../portability/coders/index.js";
import { MIN_TIMESTAMP, type Timestamp } from "../../portability/values/index.js";
import {
  ChangeLog,
  newestFirst,
  SectionMerger,
  type RecordSink,
  type SnapshotPart,
  type StateRecord,
  type StoredSection,
} from "../snapshot/index.js";
import type { KeyGroups } from "../store/index.js";
import { HASH_BYTES } from "./evicted-records.js";
import type { KeyedRecord } from "./keyed-record.js";
import type { KeyedStore } from "./keyed-store.js";
import { RecordCodec, writeTimes, type KeyedCoders, type WriteAlarm } from "./record-codec.js";

const NOTHING = new Uint8Array();

export class KeyedSnapshot implements SnapshotPart {
  readonly name = "keyed";
  private readonly log: ChangeLog<KeyedRecord>;
  private readonly codec: RecordCodec;
  private readonly groupCount: number;

  /** The store tells it of its changes from now on. */
  constructor(
    private readonly store: KeyedStore,
    private readonly coders: KeyedCoders,
    { count }: KeyGroups,
  ) {
    this.groupCount = count;
    this.codec = new RecordCodec(store.spec, coders);
    store.changes = this.log = new ChangeLog((record, sink) => this.writeRecord(record, sink));
  }

  freeze(sink: RecordSink): void {
    const epoch = this.log.current;
    this.log.freeze(sink);
    this.store.evicted?.freeze(sink, epoch);
  }

  write(pause: () => boolean): boolean {
    return this.log.write(pause) && this.store.evicted?.write(pause) !== false;
  }

  restore(records: Iterable<StateRecord>, watermark: Timestamp): void {
    const { store, coders } = this;
    const ids = new ByteReader(NOTHING);
    store.inputWatermark = MIN_TIMESTAMP; // windows are there, whether they have expired or not
    for (const { id, payloads } of records) {
      ids.reset(id);
      const window = coders.window.decode(ids, true);
      store.select(coders.key.decode(ids, true), window);
      this.read(new ByteReader(payloads[payloads.length - 1]), store.selected);
    }
    store.inputWatermark = watermark;
    store.commit();
  }

  /** Without decoding what is in records, where they may be elsewhere than in memory (V6 and V7 of {@link EvictedRecords}). */
  restoreSections(snapshots: readonly (readonly StoredSection[])[], watermark: Timestamp): void {
    const { store, coders } = this;
    const { evicted } = store;
    if (evicted === undefined) {
      const merger = new SectionMerger();
      for (const sections of snapshots) {
        merger.nextSnapshot();
        for (const { bytes } of sections) merger.add(bytes);
      }
      return this.restore(merger.result, watermark);
    }
    const ids = new ByteReader(NOTHING);
    store.inputWatermark = MIN_TIMESTAMP;
    newestFirst(snapshots, (section, start, id, idEnd, payload, end) => {
      ids.reset(section.bytes, id, idEnd);
      const of = store.recordsOf(coders.window.decode(ids, true))!;
      if (evicted.restore(of, section, start, ids.offset, idEnd, payload, end)) return;
      store.select(coders.key.decode(ids, true), of.window);
      this.read(new ByteReader(section.bytes, payload, end), store.selected);
    });
    store.inputWatermark = watermark;
    store.commit();
  }

  settle(): void {
    this.store.evicted?.settle();
    this.log.settle();
  }

  private writeRecord(record: KeyedRecord, sink: RecordSink): void {
    const group = (record.hash >>> 0) % this.groupCount;
    if (!this.store.has(record)) {
      this.writeId(record, sink.beginDelete(group));
      sink.end();
      return;
    }
    const to = sink.beginPut(group);
    this.writeId(record, to);
    sink.beginPayload();
    to.writeInt32(record.hash);
    this.codec.writeTimers(record, to, this.writeTimes);
    this.codec.write(record, to);
    sink.end();
  }

  private readonly writeTimes: WriteAlarm = (to, { domain }, slot, holdSlot) =>
    writeTimes(to, this.store.pendingTimers.queueOf(domain), slot, holdSlot);

  private writeId({ of, key }: KeyedRecord, to: ByteWriter): void {
    this.coders.window.encode(of.window, to, true);
    this.coders.key.encode(key, to, true);
  }

  private read(from: ByteReader, record: KeyedRecord): void {
    const { codec, store } = this;
    from.skip(HASH_BYTES);
    codec.readTimers(from, (family, tag) => {
      const due = from.readDouble();
      const outputAt = from.readDouble();
      store.pendingTimers.set(record, family, tag, due, outputAt, from.readByte() === 1);
    });
    codec.read(from, record);
  }
}
