import { ByteReader, type Coder } from "../../portability/coders/index.js";
import type { Timestamp, Window } from "../../portability/values/index.js";
import { NO_GROUP, type RecordSink, type SnapshotPart, type StateRecord } from "../snapshot/index.js";
import type { Values } from "../store/index.js";

/** How a side input becomes bytes. */
export interface SideInputCoders {
  readonly element: Coder<unknown>;
  readonly window: Coder<Window>;
}

/** What has changed in a window. */
export interface SideInputChange {
  readonly window: Window;
  /** All it has now; undefined if it is gone. */
  readonly values: Values<unknown> | undefined;
  /** How many of them are in earlier snapshots already; -1 if these have others. */
  readonly from: number;
}

/** What a {@link SideInputSnapshot} reads and restores. */
export interface SideInputState {
  takeChanges(): SideInputChange[];
  watermark(): Timestamp;
  restore(window: Window, values: Iterable<unknown>): void;
  goOnFrom(watermark: Timestamp): void;
}

/** Begins the id of a record: of a window, or of the watermark. */
const OF_WINDOW = 1;
const OF_WATERMARK = 0;

/** A side input in snapshots: a record for each window, to which values are added, and one that says how far windows are complete. */
export class SideInputSnapshot implements SnapshotPart {
  /** All copies in a job have the same: each is restored from the one that is written. */
  readonly isShared = true;
  private sink: RecordSink | undefined;
  private changes: SideInputChange[] = [];
  /** Of the first change, what has been written. */
  private iterator: Iterator<unknown> | undefined;
  private position = 0;

  constructor(
    readonly name: string,
    private readonly coders: SideInputCoders,
    private readonly state: SideInputState,
  ) {}

  freeze(sink: RecordSink): void {
    this.sink = sink;
    this.changes = this.state.takeChanges();
    const to = sink.beginPut(NO_GROUP);
    to.writeByte(OF_WATERMARK);
    sink.beginPayload();
    to.writeDouble(this.state.watermark());
    sink.end();
  }

  write(pause: () => boolean): boolean {
    for (let change = this.changes[0]; change !== undefined; change = this.changes[0]) {
      if (change.values === undefined) {
        this.beginId(change.window, "gone");
        this.sink!.end();
      } else if (!this.writeValues(change, change.values, pause)) return false;
      this.changes.shift();
      this.iterator = undefined;
    }
    return true;
  }

  restore(records: Iterable<StateRecord>): void {
    for (const { id, payloads } of records) {
      const ids = new ByteReader(id);
      if (ids.readByte() === OF_WATERMARK) this.state.goOnFrom(new ByteReader(payloads[0]).readDouble());
      else
        this.state.restore(
          this.coders.window.decode(ids, true),
          payloads.map((payload) => this.coders.element.decode(new ByteReader(payload), true)),
        );
    }
  }

  settle(): void {}

  private writeValues({ window, from }: SideInputChange, values: Iterable<unknown>, pause: () => boolean): boolean {
    if (this.iterator === undefined) {
      this.iterator = values[Symbol.iterator]();
      this.position = 0;
    }
    for (;;) {
      if (pause()) return false;
      const next = this.iterator.next();
      if (next.done === true) return true;
      const at = this.position++;
      if (at < from) continue;
      const to = this.beginId(window, from < 0 && at === 0 ? "whole" : "added");
      this.sink!.beginPayload();
      this.coders.element.encode(next.value, to, true);
      this.sink!.end();
    }
  }

  private beginId(window: Window, kind: "whole" | "added" | "gone"): ReturnType<RecordSink["beginPut"]> {
    const sink = this.sink!;
    const to = kind === "gone" ? sink.beginDelete(NO_GROUP) : kind === "whole" ? sink.beginPut(NO_GROUP) : sink.beginAppend(NO_GROUP);
    to.writeByte(OF_WINDOW);
    this.coders.window.encode(window, to, true);
    return to;
  }
}
