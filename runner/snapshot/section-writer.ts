import { ByteReader, ByteWriter } from "../../portability/coders/index.js";
import { ADDED, DROPPED, GONE, latin1, WHOLE } from "./section-format.js";
import type { RecordSink, StateRecord } from "./snapshot-part.js";
import { WriterPool } from "./writer-pool.js";

/** Bytes of a section after which it is handed on. */
const SECTION_BYTES = 128 << 10;

/** Takes the bytes of some records of one key group, which are written over when it has returned. */
export type TakeSection = (group: number, bytes: Uint8Array) => void;

/** Gathers the records of a part by key group. */
export class SectionWriter implements RecordSink {
  private readonly sections = new Map<number, ByteWriter>();
  private lastGroup = NaN;
  private writer: ByteWriter = new ByteWriter(0);
  private start = 0;
  private hasOpen = false;

  constructor(
    private readonly take: TakeSection,
    private readonly pool = new WriterPool(),
  ) {}

  beginPut(group: number): ByteWriter {
    return this.begin(group, WHOLE);
  }

  beginAppend(group: number): ByteWriter {
    return this.begin(group, ADDED);
  }

  beginDelete(group: number): ByteWriter {
    return this.begin(group, GONE);
  }

  beginDrop(group: number): ByteWriter {
    return this.begin(group, DROPPED);
  }

  beginPayload(): void {
    this.writer.endLengthPrefixed(this.start);
    this.start = this.writer.beginLengthPrefixed();
  }

  end(): void {
    this.writer.endLengthPrefixed(this.start);
    this.hasOpen = false;
    if (this.writer.length >= SECTION_BYTES) this.handOn(this.lastGroup, this.writer);
  }

  /** Hands on what is left. */
  flush(): void {
    for (const [group, writer] of this.sections) {
      if (writer.length > 0) this.handOn(group, writer);
      this.pool.giveBack(writer);
    }
    this.sections.clear();
    this.lastGroup = NaN;
  }

  private begin(group: number, kind: number): ByteWriter {
    if (this.hasOpen) throw new Error("a record begins within another one");
    this.hasOpen = true;
    const writer = group === this.lastGroup ? this.writer : this.sectionOf(group);
    writer.writeByte(kind);
    this.start = writer.beginLengthPrefixed();
    return writer;
  }

  private sectionOf(group: number): ByteWriter {
    let writer = this.sections.get(group);
    if (writer === undefined) this.sections.set(group, (writer = this.pool.take()));
    this.lastGroup = group;
    return (this.writer = writer);
  }

  private handOn(group: number, writer: ByteWriter): void {
    this.take(group, writer.view());
    writer.reset();
  }
}

/**
 * The records of one part and key group, put together from snapshots that each hold what had changed.
 *
 * - R1. Of a record that is there whole, what was there of it before does not count; what was added to it later does.
 * - R2. That a record is gone counts for what earlier snapshots say of it, and only if its own one does not say that it is there, too.
 */
export class SectionMerger {
  private readonly records = new Map<string, MergedRecord>();
  /** Ids that are gone, and beginnings of such, if they are to be remembered. */
  private readonly gone: Map<string, Uint8Array> | undefined;
  private readonly dropped: Map<string, Uint8Array> | undefined;
  private snapshot = 0;

  /** @param isBase whether nothing is before the first snapshot: then it need not be known what is gone */
  constructor(isBase = true) {
    this.gone = isBase ? undefined : new Map();
    this.dropped = isBase ? undefined : new Map();
  }

  /** What {@link add} brings from now on is of the next snapshot. */
  nextSnapshot(): void {
    this.snapshot++;
  }

  /** @throws CoderError if the bytes are none of a section */
  add(section: Uint8Array): void {
    const reader = new ByteReader(section);
    while (reader.remaining > 0) {
      const kind = reader.readByte();
      const id = reader.readBytes(reader.readLength());
      const text = latin1(id);
      if (kind === GONE) this.dropBefore(text, id);
      else if (kind === DROPPED) this.dropAllBefore(text, id);
      else if (kind === WHOLE) this.put(text, id, reader.readBytes(reader.readLength()), false);
      else if (kind === ADDED) this.put(text, id, reader.readBytes(reader.readLength()), true);
      else reader.fail(`${kind} where a kind of record is due`);
    }
  }

  get result(): Iterable<StateRecord> {
    return this.records.values();
  }

  /** Writes them as one snapshot. */
  write(group: number, sink: RecordSink): void {
    for (const beginning of this.dropped?.values() ?? []) {
      sink.beginDrop(group).writeBytes(beginning);
      sink.end();
    }
    for (const [text, id] of this.gone ?? []) {
      const anew = this.records.get(text);
      if (anew !== undefined) anew.isWhole = true;
      else {
        sink.beginDelete(group).writeBytes(id);
        sink.end();
      }
    }
    for (const { id, payloads, isWhole } of this.records.values())
      for (const [i, payload] of payloads.entries()) {
        const to = isWhole && i === 0 ? sink.beginPut(group) : sink.beginAppend(group);
        to.writeBytes(id);
        sink.beginPayload();
        to.writeBytes(payload);
        sink.end();
      }
  }

  private put(text: string, id: Uint8Array, payload: Uint8Array, adds: boolean): void {
    const { snapshot } = this;
    const before = this.records.get(text);
    if (before === undefined) this.records.set(text, { id, payloads: [payload], snapshot, isWhole: !adds });
    else {
      if (!adds) {
        before.payloads.length = 0;
        before.isWhole = true;
      }
      before.payloads.push(payload);
      before.snapshot = snapshot;
    }
  }

  /** R2 */
  private dropAllBefore(text: string, beginning: Uint8Array): void {
    this.dropped?.set(text, beginning);
    for (const [id, { snapshot }] of this.records) if (snapshot < this.snapshot && id.startsWith(text)) this.records.delete(id);
  }

  /** R2 */
  private dropBefore(text: string, id: Uint8Array): void {
    if (this.records.get(text)?.snapshot === this.snapshot) return;
    this.gone?.set(text, id);
    this.records.delete(text);
  }
}

interface MergedRecord {
  readonly id: Uint8Array;
  readonly payloads: Uint8Array[];
  snapshot: number;
  /** Whether all there is of it is here. */
  isWhole: boolean;
}
