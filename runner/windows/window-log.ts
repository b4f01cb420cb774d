import type { ByteWriter, Coder } from "../../portability/coders/index.js";
import type { Timestamp } from "../../portability/values/index.js";
import type { RecordSink } from "../snapshot/index.js";
import type { BagCells, StateKey } from "../store/index.js";

/** Writes records of a window: its id, and what a key has come to. */
export interface WindowLogWriter {
  readonly value: Coder<unknown>;
  groupOf(key: StateKey): number;
  /** The id of the key's record in this window. */
  writeId(key: StateKey, to: ByteWriter): void;
}

/** A value that was added, or all values of a key as they were. */
interface Entry {
  readonly key: StateKey;
  readonly isWhole: boolean;
  readonly values: readonly unknown[];
  /** What the group's timestamp has come to by it; undefined if it counts for none. */
  readonly timestamp: Timestamp | undefined;
}

/**
 * What has been added to a window of a grouping since the last snapshot.
 *
 * - L1. As long as the bag merges what it is given a key is written as a whole, once for all that was added; else each value is added by itself.
 * - L2. A key that changes after it was frozen and before it was written is written first, as it was.
 */
export class WindowLog {
  private epoch = 1;
  /** The epoch in which a key changed last (L1). */
  private readonly changed = new Map<StateKey, number>();
  private keys: StateKey[] = [];
  private entries: Entry[] = [];
  private frozenKeys: readonly StateKey[] = [];
  private frozenEntries: readonly Entry[] = [];
  private at = 0;
  private sink: RecordSink | undefined;
  private isWhole: boolean;
  /** Key groups that have records, now or in earlier snapshots. */
  readonly groups = new Set<number>();

  constructor(
    private readonly bag: BagCells<unknown>,
    private readonly timestampOf: (key: StateKey) => Timestamp | undefined,
    private readonly writer: WindowLogWriter,
  ) {
    this.isWhole = bag.isMerged === true;
    bag.beforeSpill = () => this.endWhole();
  }

  /** Before a value is added; the timestamp as it counts for the group's. */
  add(key: StateKey, value: unknown, timestamp: Timestamp | undefined): void {
    if (!this.isWhole) {
      this.entries.push({ key, isWhole: false, values: [value], timestamp });
      return;
    }
    const changedIn = this.changed.get(key);
    if (changedIn === this.epoch) return;
    if (changedIn !== undefined && changedIn !== 0) this.write1(this.wholeOf(key)); // L2
    this.changed.set(key, this.epoch);
    this.keys.push(key);
  }

  freeze(sink: RecordSink): void {
    this.sink = sink;
    this.frozenKeys = this.keys;
    this.frozenEntries = this.entries;
    this.keys = [];
    this.entries = [];
    this.at = 0;
    this.epoch++;
    if (this.isWhole && this.bag.isMerged !== true) {
      this.writeFrozenKeys(() => false);
      this.isWhole = false;
      this.changed.clear();
    }
  }

  write(pause: () => boolean): boolean {
    if (!this.writeFrozenKeys(pause)) return false;
    const { frozenEntries } = this;
    while (this.at < frozenEntries.length) {
      if (pause()) return false;
      this.write1(frozenEntries[this.at++]);
    }
    this.frozenEntries = [];
    this.at = 0;
    return true;
  }

  /** What was restored need not be written again. */
  settle(): void {
    this.keys = [];
    this.entries = [];
    this.changed.clear();
  }

  /** The window is gone: nothing of it is written any more, but that it is gone. */
  drop(): void {
    this.frozenKeys = [];
    this.frozenEntries = [];
    this.keys = [];
    this.entries = [];
  }

  private writeFrozenKeys(pause: () => boolean): boolean {
    const { frozenKeys, changed } = this;
    const epoch = this.epoch - 1;
    while (this.at < frozenKeys.length) {
      if (pause()) return false;
      const key = frozenKeys[this.at++];
      if (changed.get(key) !== epoch) continue; // L2
      changed.set(key, 0);
      this.write1(this.wholeOf(key));
    }
    if (frozenKeys.length > 0) {
      this.frozenKeys = [];
      this.at = 0;
    }
    return true;
  }

  /** The bag goes to disk, where a key costs much to find: what is to be written of it is taken now. */
  private endWhole(): void {
    if (!this.isWhole) return;
    if (this.sink !== undefined) this.writeFrozenKeys(() => false);
    for (const key of this.keys) this.entries.push(this.wholeOf(key));
    this.keys = [];
    this.changed.clear();
    this.isWhole = false;
  }

  private wholeOf(key: StateKey): Entry {
    return { key, isWhole: true, values: [...this.bag.get(key)], timestamp: this.timestampOf(key) };
  }

  private write1({ key, isWhole, values, timestamp }: Entry): void {
    const { writer } = this;
    const sink = this.sink!;
    const group = writer.groupOf(key);
    this.groups.add(group);
    const to = isWhole ? sink.beginPut(group) : sink.beginAppend(group);
    writer.writeId(key, to);
    sink.beginPayload();
    to.writeByte(timestamp === undefined ? 0 : 1);
    if (timestamp !== undefined) to.writeDouble(timestamp);
    for (const value of values) writer.value.encode(value, to, true);
    sink.end();
  }
}
