import {
  ElementMeta,
  GLOBAL_WINDOWS,
  GlobalWindow,
  MAX_TIMESTAMP,
  ON_TIME_AND_ONLY,
  type Timestamp,
  type Window,
} from "../../portability/values/index.js";
import type { BagCells, Groups, StateKey, StateStore, ValueCells } from "../store/index.js";
import type { TimestampCombiner } from "./grouping-strategy.js";
import { WindowLog, type WindowLogWriter } from "./window-log.js";

/** What a grouping keeps of one window: the values of each key, and their combined timestamps where a combiner asks for them. */
export class WindowBuffer {
  /** Least timestamp of the values. */
  private earliest: Timestamp = MAX_TIMESTAMP;
  private readonly values: BagCells<unknown>;
  private readonly timestamps: ValueCells<Timestamp> | undefined;
  private readonly windows: readonly Window[];
  private sharedMeta: ElementMeta | undefined;
  private log: WindowLog | undefined;

  constructor(
    readonly window: Window,
    private readonly timestampCombiner: TimestampCombiner,
    private readonly store: StateStore,
  ) {
    this.windows = window === GlobalWindow.instance ? GLOBAL_WINDOWS : Object.freeze([window]);
    this.values = store.bag<unknown>("values").at(window);
    if (timestampCombiner !== "end-of-window") this.timestamps = store.value<Timestamp>("timestamps").at(window);
  }

  /** What is added is noted from now on, for snapshots. */
  track(writer: WindowLogWriter): WindowLog {
    return (this.log = new WindowLog(this.values, (key) => this.timestamps?.get(key), writer));
  }

  /** @param inTime whether the timestamp is not behind the watermark: then it counts for the group's */
  add(key: StateKey, value: unknown, timestamp: Timestamp, inTime: boolean): void {
    if (this.log !== undefined) this.log.add(key, value, inTime && this.timestamps !== undefined ? timestamp : undefined);
    this.values.add(key, value);
    if (this.timestamps === undefined || !inTime) return;
    if (timestamp < this.earliest) this.earliest = timestamp;
    const before = this.timestamps.get(key);
    const wins = before === undefined || (this.timestampCombiner === "earliest" ? timestamp < before : timestamp > before);
    if (wins) this.timestamps.set(key, timestamp);
  }

  /** The groups; the buffer is empty from now on, though the caller may take its time. */
  take(): Groups<unknown> {
    return this.values.takeAll();
  }

  /** That of all groups, if they have one. */
  get commonMeta(): ElementMeta | undefined {
    return this.timestamps === undefined ? this.metaAtEnd() : undefined;
  }

  metaOf(key: StateKey): ElementMeta {
    const timestamp = this.timestamps?.get(key);
    if (timestamp === undefined) return this.metaAtEnd();
    this.timestamps!.delete(key);
    return new ElementMeta(timestamp, this.windows, ON_TIME_AND_ONLY);
  }

  private metaAtEnd(): ElementMeta {
    return (this.sharedMeta ??= new ElementMeta(this.window.maxTimestamp, this.windows, ON_TIME_AND_ONLY));
  }

  /** The greatest watermark that is not ahead of what this window has still to emit. */
  hold(): Timestamp {
    return Math.min(this.earliest, this.window.maxTimestamp);
  }

  drop(): void {
    this.store.bag("values").drop(this.window);
    if (this.timestamps !== undefined) this.store.value("timestamps").drop(this.window);
  }
}
