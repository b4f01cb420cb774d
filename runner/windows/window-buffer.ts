import {
  ElementMeta,
  GLOBAL_WINDOWS,
  GlobalWindow,
  MAX_TIMESTAMP,
  ON_TIME_AND_ONLY,
  PaneTiming,
  type PaneInfo,
  type Timestamp,
  type Window,
} from "../../portability/values/index.js";
import type { BagCells, StateKey, StateStore, ValueCells } from "../store/index.js";
import type { GroupingStrategy } from "./grouping-strategy.js";

/** A group on its way out: what {@link WindowBuffer.take} iterates over. */
export type Group = [StateKey, Iterable<unknown>];

/**
 * What a grouping keeps of one window: the values of each key, and what its next pane needs to know.
 *
 * Cells beyond the values exist only where the strategy asks for them: timestamps for the combiners "earliest" and
 * "latest", counts of firings where lateness allows a second one.
 */
export class WindowBuffer {
  /** True from the moment the watermark has passed the window's end. */
  ended = false;
  /** True while the window waits for its values to be emitted. */
  due = false;
  /** Least timestamp of the values not emitted yet. */
  earliest: Timestamp = MAX_TIMESTAMP;
  private readonly values: BagCells<unknown>;
  private readonly timestamps: ValueCells<Timestamp> | undefined;
  private readonly firings: ValueCells<number> | undefined;
  /** Keys with values since the last pane, where panes accumulate and a second one may come. */
  private readonly touched: Set<StateKey> | undefined;
  private readonly windows: readonly Window[];
  private sharedMeta: ElementMeta | undefined;

  constructor(
    readonly window: Window,
    private readonly strategy: GroupingStrategy,
    private readonly store: StateStore,
  ) {
    this.windows = window === GlobalWindow.instance ? GLOBAL_WINDOWS : Object.freeze([window]);
    this.values = store.bag<unknown>("values").at(window);
    if (strategy.timestampCombiner !== "end-of-window") this.timestamps = store.value<Timestamp>("timestamps").at(window);
    if (strategy.allowedLatenessMs > 0) {
      this.firings = store.value<number>("firings").at(window);
      if (strategy.accumulating) this.touched = new Set();
    }
  }

  add(key: StateKey, value: unknown, timestamp: Timestamp): void {
    this.values.add(key, value);
    if (this.touched !== undefined) this.touched.add(key);
    if (this.timestamps === undefined) return;
    if (timestamp < this.earliest) this.earliest = timestamp;
    const before = this.timestamps.get(key);
    const wins = before === undefined || (this.strategy.timestampCombiner === "earliest" ? timestamp < before : timestamp > before);
    if (wins) this.timestamps.set(key, timestamp);
  }

  /** The groups of the next pane. The window counts as emitted from now on, though the caller may take its time. */
  take(): IterableIterator<Group> {
    return this.touched === undefined ? this.values.takeAll() : this.takeTouched(this.touched);
  }

  /** The meta of a key's next pane; counts that pane. */
  metaOf(key: StateKey): ElementMeta {
    if (this.timestamps === undefined && this.firings === undefined)
      return (this.sharedMeta ??= new ElementMeta(this.window.maxTimestamp, this.windows, ON_TIME_AND_ONLY));
    const timestamp = this.timestamps?.get(key) ?? this.window.maxTimestamp;
    this.timestamps?.delete(key);
    return new ElementMeta(timestamp, this.windows, this.firings === undefined ? ON_TIME_AND_ONLY : this.nextPane(key, this.firings));
  }

  /** The greatest watermark that is not ahead of what this window may still emit in time. */
  hold(): Timestamp {
    return Math.min(this.earliest, this.window.maxTimestamp);
  }

  drop(): void {
    this.store.bag("values").drop(this.window);
    if (this.timestamps !== undefined) this.store.value("timestamps").drop(this.window);
    if (this.firings !== undefined) this.store.value("firings").drop(this.window);
  }

  /** True once the first pane, the one on time, has been emitted. */
  firedOnTime = false;

  private nextPane(key: StateKey, firings: ValueCells<number>): PaneInfo {
    const index = firings.get(key) ?? 0;
    firings.set(key, index + 1);
    const timing = this.firedOnTime ? PaneTiming.LATE : PaneTiming.ON_TIME;
    // Whether a pane is the last one is not known before the window expires, and then nothing is left to emit.
    return { isFirst: index === 0, isLast: false, timing, index, nonSpeculativeIndex: index };
  }

  private *takeTouched(touched: Set<StateKey>): IterableIterator<Group> {
    for (const key of touched) {
      touched.delete(key);
      yield [key, [...this.values.get(key)]];
    }
  }
}
