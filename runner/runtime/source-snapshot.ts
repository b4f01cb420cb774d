import { ByteReader } from "../../portability/coders/index.js";
import type { Timestamp } from "../../portability/values/index.js";
import { NO_GROUP, type RecordSink, type SnapshotPart, type StateRecord } from "../snapshot/index.js";

/** Where a source is. */
export interface SourceMark {
  readonly isOver: boolean;
  readonly watermark: Timestamp;
  /** In the terms of its reader; undefined if that cannot tell. */
  readonly position: Uint8Array | undefined;
}

const NOTHING = new Uint8Array();

/** One record: where a reader is. */
export class SourceSnapshot implements SnapshotPart {
  readonly name = "source";
  private mark: SourceMark | undefined;
  private sink: RecordSink | undefined;

  constructor(
    private readonly current: () => SourceMark,
    private readonly restored: (mark: SourceMark) => void,
  ) {}

  freeze(sink: RecordSink): void {
    this.sink = sink;
    this.mark = this.current();
  }

  write(): boolean {
    const { mark, sink } = this;
    this.mark = undefined;
    if (mark === undefined || sink === undefined) return true;
    const to = sink.beginPut(NO_GROUP);
    sink.beginPayload();
    to.writeByte(mark.isOver ? 1 : 0);
    to.writeDouble(mark.watermark);
    to.writeByte(mark.position === undefined ? 0 : 1);
    to.writeBytes(mark.position ?? NOTHING);
    sink.end();
    return true;
  }

  restore(records: Iterable<StateRecord>): void {
    const mark = readSourceMark(records);
    if (mark !== undefined) this.restored(mark);
  }

  settle(): void {}
}

/** What a snapshot says of where a reader was. */
export function readSourceMark(records: Iterable<StateRecord>): SourceMark | undefined {
  for (const { payloads } of records) {
    const from = new ByteReader(payloads[payloads.length - 1]);
    const isOver = from.readByte() === 1;
    const watermark = from.readDouble();
    return { isOver, watermark, position: from.readByte() === 1 ? from.readBytes(from.remaining) : undefined };
  }
  return undefined;
}
