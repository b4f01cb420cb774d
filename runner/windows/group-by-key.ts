import { ElementMeta, kv, MAX_TIMESTAMP, MIN_TIMESTAMP, type KV, type Timestamp, type Window } from "../../portability/values/index.js";
import { LastingGroups, WindowMap, type Groups, type KeySpace, type StateStore, type StateKey } from "../store/index.js";
import { EmittedGroups, type Emit } from "./emitted-groups.js";
import type { LateReceiver } from "./group-into-panes.js";
import type { TimestampCombiner } from "./grouping-strategy.js";
import { InstantQueue } from "./instant-queue.js";
import { WindowBuffer } from "./window-buffer.js";

/** Who wants to know of a grouping's windows. */
export interface WindowsLog {
  opened(buffer: WindowBuffer): void;
  /** All that it has is about to be emitted, before anything else happens. */
  gone(buffer: WindowBuffer): void;
}

/**
 * Groups `KV<K, V>` into `KV<K, V[]>` by key and window where each has one pane, at the end of the window; {@link hasOnePane} tells.
 * For anything else there is {@link GroupIntoPanes}.
 *
 * Emission is a resumable {@link drain}, so that a window of a million keys neither blocks nor floods anybody, and groups may be
 * larger than memory: all that is asked of the store is to give a window's groups, each once.
 *
 * - G1. An element goes into each of its windows; windows are equal by value. The store may merge the values of a group as they come.
 * - G2. A window whose end the watermark has passed takes nothing more: such elements are counted, and handed to `late`.
 * - G3. Nothing is taken in while something is due: call {@link drain} until it says that nothing is left, then go on.
 * - G4. {@link hold} never exceeds the timestamp of a group still to be emitted.
 * - G5. Groups that last do so until the bundle in which the last of them was emitted is committed: so a bundle that keeps what it was given, to be
 *   given it again, need not keep each of them.
 */
export class GroupByKey {
  /** Elements that came after their window had ended, once for each such window. */
  droppedLate = 0;
  readonly droppedClosed = 0;
  readonly deadline = Infinity;
  private watermark: Timestamp = MIN_TIMESTAMP;
  private readonly windows = new WindowMap<WindowBuffer>();
  private readonly ends = new InstantQueue<WindowBuffer>();
  /** Windows to emit, in order; the first one may be half emitted. */
  private readonly due: WindowBuffer[] = [];
  private emitting: Groups<unknown> | undefined;
  /** G5: what is being emitted, if it lasts. */
  private again: EmittedGroups | undefined;
  /** G5: those that have been emitted. */
  private readonly emitted: LastingGroups<unknown>[] = [];
  private lastWindow: Window | undefined;
  private lastBuffer: WindowBuffer | undefined;
  /** Told of windows that come and go, where there are snapshots. */
  windowsLog: WindowsLog | undefined;
  /** The same of several windows: those of sliding ones come as the same array many times in a row. */
  private lastWindows: readonly Window[] | undefined;
  private readonly lastBuffers: (WindowBuffer | undefined)[] = [];

  constructor(
    private readonly timestampCombiner: TimestampCombiner,
    private readonly keys: KeySpace,
    private readonly store: StateStore,
    private readonly emit: Emit,
    private readonly late?: LateReceiver,
  ) {}

  readonly process = (value: unknown, meta: ElementMeta): void => {
    const pair = value as KV<unknown, unknown>;
    const id = this.keys.identify(pair.key);
    const { windows, timestamp } = meta;
    const inTime = timestamp >= this.watermark;
    if (windows.length === 1) {
      const buffer = windows[0] === this.lastWindow ? this.lastBuffer : this.bufferOf(windows[0]);
      if (buffer === undefined) this.drop(pair, meta, windows[0]);
      else buffer.add(id, pair.value, timestamp, inTime);
      return;
    }
    const buffers = windows === this.lastWindows ? this.lastBuffers : this.buffersOf(windows);
    for (let i = 0; i < windows.length; i++) {
      const buffer = buffers[i];
      if (buffer === undefined) this.drop(pair, meta, windows[i]);
      else buffer.add(id, pair.value, timestamp, inTime);
    }
  };

  /** The input watermark has moved: windows that it passed become due. */
  advance(watermark: Timestamp): void {
    this.watermark = watermark;
    for (let ended = this.ends.takePassed(watermark); ended !== undefined; ended = this.ends.takePassed(watermark)) {
      this.windows.delete(ended.window);
      this.due.push(ended);
    }
    this.lastWindow = this.lastWindows = undefined; // what they were may be over now
  }

  advanceTime(): void {}

  /** Whether groups wait to be emitted. */
  get draining(): boolean {
    return this.due.length > 0;
  }

  /** Emits groups that are due until none is left, then true, or until `pause` says so, then false. */
  drain(pause: () => boolean): boolean {
    while (this.due.length > 0) {
      const buffer = this.due[0];
      const groups = (this.emitting ??= this.take(buffer));
      for (;;) {
        if (pause()) return false;
        if (!groups.advance()) break;
        const { key } = groups;
        const value = kv(this.keys.restore(key), groups.values);
        if (this.again === undefined) this.emit(value, buffer.metaOf(key));
        else this.emit(value, buffer.metaOf(key), this.again, (groups as LastingGroups<unknown>).number);
      }
      if (this.again !== undefined) this.emitted.push(groups as LastingGroups<unknown>);
      this.due.shift();
      this.emitting = this.again = undefined;
      buffer.drop();
    }
    return true;
  }

  /** G5 */
  committed(): void {
    if (this.emitted.length > 0) for (const groups of this.emitted.splice(0)) groups.release();
  }

  private take(buffer: WindowBuffer): Groups<unknown> {
    this.windowsLog?.gone(buffer);
    const groups = buffer.take();
    const { commonMeta } = buffer;
    if (commonMeta !== undefined && groups instanceof LastingGroups) this.again = new EmittedGroups(groups, this.keys, commonMeta);
    return groups;
  }

  /** The output watermark may not pass this (G4). */
  hold(): Timestamp {
    let hold = MAX_TIMESTAMP;
    for (const buffer of this.due) hold = Math.min(hold, buffer.hold());
    // At the end of a window nothing is behind the input watermark: such windows hold nothing back before they are due.
    if (this.timestampCombiner !== "end-of-window") for (const buffer of this.windows.values()) hold = Math.min(hold, buffer.hold());
    return hold;
  }

  /** Takes back a value as it was; for {@link GroupsSnapshot}, before anything is processed. */
  restore(window: Window, key: StateKey, value: unknown, timestamp: Timestamp | undefined, watermark: Timestamp): void {
    this.watermark = MIN_TIMESTAMP; // the window was there
    this.bufferOf(window)!.add(key, value, timestamp ?? MAX_TIMESTAMP, timestamp !== undefined);
    this.watermark = watermark;
  }

  /** What there is of a window. */
  bufferAt(window: Window): WindowBuffer | undefined {
    return this.windows.get(window);
  }

  /** Windows that something is kept of: for tests and for people. */
  get size(): number {
    return this.windows.size + this.due.length;
  }

  /** Entries of queues: for tests and for people. */
  get queued(): number {
    return this.ends.size;
  }

  /** G2: undefined for a window that has ended. */
  private bufferOf(window: Window): WindowBuffer | undefined {
    let buffer = this.windows.get(window);
    if (buffer === undefined) {
      if (window.maxTimestamp < this.watermark) return undefined;
      buffer = new WindowBuffer(window, this.timestampCombiner, this.store);
      this.windows.set(window, buffer);
      this.windowsLog?.opened(buffer);
      this.ends.add(window.maxTimestamp, buffer);
    }
    this.lastWindow = window;
    this.lastBuffer = buffer;
    return buffer;
  }

  private buffersOf(windows: readonly Window[]): readonly (WindowBuffer | undefined)[] {
    const { lastBuffers } = this;
    lastBuffers.length = windows.length;
    for (let i = 0; i < windows.length; i++) lastBuffers[i] = this.bufferOf(windows[i]);
    this.lastWindows = windows;
    return lastBuffers;
  }

  private drop(pair: KV<unknown, unknown>, meta: ElementMeta, window: Window): void {
    this.droppedLate++;
    this.late?.(pair, meta.windows.length === 1 ? meta : new ElementMeta(meta.timestamp, [window], meta.pane));
  }
}
