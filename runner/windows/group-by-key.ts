import {
  ElementMeta,
  kv,
  MAX_TIMESTAMP,
  MIN_TIMESTAMP,
  type KV,
  type Receiver,
  type Timestamp,
  type Window,
} from "../../portability/values/index.js";
import { WindowMap, type KeySpace, type StateStore } from "../store/index.js";
import type { LateReceiver } from "./group-into-panes.js";
import type { TimestampCombiner } from "./grouping-strategy.js";
import { InstantQueue } from "./instant-queue.js";
import { WindowBuffer, type Group } from "./window-buffer.js";

/**
 * Groups `KV<K, V>` into `KV<K, V[]>` by key and window where each has one pane, at the end of the window; {@link hasOnePane} tells.
 * For anything else there is {@link GroupIntoPanes}.
 *
 * Emission is a resumable {@link drain}, so that a window of a million keys neither blocks nor floods anybody, and groups may be
 * larger than memory: all that is asked of the store is to give a window's groups, each once.
 *
 * - G1. An element goes into each of its windows; windows are equal by value.
 * - G2. A window whose end the watermark has passed takes nothing more: such elements are counted, and handed to `late`.
 * - G3. Nothing is taken in while something is due: call {@link drain} until it says that nothing is left, then go on.
 * - G4. {@link hold} never exceeds the timestamp of a group still to be emitted.
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
  private emitting: Iterator<Group> | undefined;
  private lastWindow: Window | undefined;
  private lastBuffer: WindowBuffer | undefined;

  constructor(
    private readonly timestampCombiner: TimestampCombiner,
    private readonly keys: KeySpace,
    private readonly store: StateStore,
    private readonly emit: Receiver,
    private readonly late?: LateReceiver,
  ) {}

  readonly process = (value: unknown, meta: ElementMeta): void => {
    const pair = value as KV<unknown, unknown>;
    const id = this.keys.identify(pair.key);
    const { windows, timestamp } = meta;
    const inTime = timestamp >= this.watermark;
    for (let i = 0; i < windows.length; i++) {
      const buffer = windows[i] === this.lastWindow ? this.lastBuffer : this.bufferOf(windows[i]);
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
    this.lastWindow = undefined; // what it was may be over now
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
      const groups = (this.emitting ??= buffer.take());
      for (;;) {
        if (pause()) return false;
        const next = groups.next();
        if (next.done === true) break;
        const [id, values] = next.value;
        this.emit(kv(this.keys.restore(id), values), buffer.metaOf(id));
      }
      this.due.shift();
      this.emitting = undefined;
      buffer.drop();
    }
    return true;
  }

  /** The output watermark may not pass this (G4). */
  hold(): Timestamp {
    let hold = MAX_TIMESTAMP;
    for (const buffer of this.due) hold = Math.min(hold, buffer.hold());
    // At the end of a window nothing is behind the input watermark: such windows hold nothing back before they are due.
    if (this.timestampCombiner !== "end-of-window") for (const buffer of this.windows.values()) hold = Math.min(hold, buffer.hold());
    return hold;
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
      this.ends.add(window.maxTimestamp, buffer);
    }
    this.lastWindow = window;
    this.lastBuffer = buffer;
    return buffer;
  }

  private drop(pair: KV<unknown, unknown>, meta: ElementMeta, window: Window): void {
    this.droppedLate++;
    this.late?.(pair, meta.windows.length === 1 ? meta : new ElementMeta(meta.timestamp, [window], meta.pane));
  }
}
