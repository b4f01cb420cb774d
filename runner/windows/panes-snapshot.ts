import { ByteReader, type ByteWriter, type Coder } from "../../portability/coders/index.js";
import type { Timestamp, Window } from "../../portability/values/index.js";
import { ChangeLog, type RecordSink, type SnapshotPart, type StateRecord } from "../snapshot/index.js";
import type { KeyGroups } from "../store/index.js";
import type { Cell, GroupIntoPanes } from "./group-into-panes.js";

/** How what a grouping keeps becomes bytes. */
export interface GroupingCoders {
  readonly key: Coder<unknown>;
  readonly value: Coder<unknown>;
  readonly window: Coder<Window>;
}

const FRESH = 1;
const CLOSED = 2;
const ENDED = 4;

/** What {@link GroupIntoPanes} keeps, in snapshots: a record for each window and key, with the values and how far its trigger has come. */
export class PanesSnapshot implements SnapshotPart {
  private readonly log: ChangeLog<Cell>;

  /** The grouping tells it of its changes from now on. */
  constructor(
    private readonly grouping: GroupIntoPanes,
    private readonly coders: GroupingCoders,
    private readonly groups: Pick<KeyGroups, "of" | "keys">,
    readonly name = "panes",
    readonly isShared = false,
  ) {
    grouping.changes = this.log = new ChangeLog((cell, sink) => this.writeCell(cell, sink));
  }

  freeze(sink: RecordSink): void {
    this.log.freeze(sink);
  }

  write(pause: () => boolean): boolean {
    return this.log.write(pause);
  }

  restore(records: Iterable<StateRecord>, watermark: Timestamp): void {
    const { coders } = this;
    for (const { id, payloads } of records) {
      const ids = new ByteReader(id);
      const window = coders.window.decode(ids, true);
      const key = coders.key.decode(ids, true);
      const from = new ByteReader(payloads[payloads.length - 1]);
      const flags = from.readByte();
      const cell = {
        key,
        window,
        fresh: (flags & FRESH) !== 0,
        closed: (flags & CLOSED) !== 0,
        endedOnTime: (flags & ENDED) !== 0,
        panes: from.readVarint(),
        nonSpeculativePanes: from.readVarint(),
        hold: from.readDouble(),
        trigger: readMany(from, () => from.readDouble()),
        values: readMany(from, () => coders.value.decode(from, true)),
      };
      this.grouping.restore(cell, watermark);
    }
  }

  settle(): void {
    this.log.settle();
  }

  private writeCell(cell: Cell, sink: RecordSink): void {
    const group = this.groups.of(cell.key);
    if (!cell.alive) {
      this.writeId(cell, sink.beginDelete(group));
      sink.end();
      return;
    }
    const to = sink.beginPut(group);
    this.writeId(cell, to);
    sink.beginPayload();
    to.writeByte((cell.fresh ? FRESH : 0) | (cell.closed ? CLOSED : 0) | (cell.endedOnTime ? ENDED : 0));
    to.writeVarint(cell.panes);
    to.writeVarint(cell.nonSpeculativePanes);
    to.writeDouble(cell.hold);
    to.writeVarint(cell.trigger.length);
    for (const number of cell.trigger) to.writeDouble(number);
    to.writeVarint(cell.values.length);
    for (const value of cell.values) this.coders.value.encode(value, to, true);
    sink.end();
  }

  private writeId({ key, window }: Cell, to: ByteWriter): void {
    this.coders.window.encode(window, to, true);
    this.coders.key.encode(this.groups.keys.restore(key), to, true);
  }
}

function readMany<T>(from: ByteReader, read: () => T): T[] {
  const many: T[] = [];
  for (let left = from.readVarint(); left > 0; left--) many.push(read());
  return many;
}
