import {
  kv,
  MAX_TIMESTAMP,
  MIN_TIMESTAMP,
  type ElementMeta,
  type KV,
  type Receiver,
  type Timestamp,
  type Window,
} from "../../portability/values/index.js";
import { WindowMap, type KeySpace, type StateStore } from "../store/index.js";
import type { GroupingStrategy } from "./grouping-strategy.js";
import { WatermarkQueue } from "./watermark-queue.js";
import { WindowBuffer, type Group } from "./window-buffer.js";

/**
 * Groups `KV<K, V>` into `KV<K, V[]>` by key and window, under Beam's default trigger and windows that do not merge.
 *
 * A window's groups are emitted when the watermark passes its end; with allowed lateness once more for elements that
 * come late. Emission is a resumable {@link drain}, so that a window of a million keys neither blocks nor floods anybody.
 *
 * - G1. An element goes into each of its windows; windows are equal by value.
 * - G2. A window whose end plus allowed lateness the watermark has passed takes nothing more: such elements are counted and dropped.
 * - G3. Nothing is taken in while something is due: call {@link drain} until it says that nothing is left, then go on.
 * - G4. {@link hold} never exceeds the timestamp of a group still to be emitted in time.
 */
export class GroupByKey {
  /** Elements that came after their window had expired, once for each such window. */
  droppedLate = 0;
  private watermark: Timestamp = MIN_TIMESTAMP;
  private readonly windows = new WindowMap<WindowBuffer>();
  private readonly ends = new WatermarkQueue<WindowBuffer>();
  private readonly expiries = new WatermarkQueue<WindowBuffer>();
  /** Windows to emit, in order; the first one may be half emitted. */
  private readonly due: WindowBuffer[] = [];
  private emitting: Iterator<Group> | undefined;
  private lastWindow: Window | undefined;
  private lastBuffer: WindowBuffer | undefined;

  constructor(
    private readonly strategy: GroupingStrategy,
    private readonly keys: KeySpace,
    private readonly store: StateStore,
    private readonly emit: Receiver,
  ) {}

  readonly process = (value: unknown, meta: ElementMeta): void => {
    const pair = value as KV<unknown, unknown>;
    const id = this.keys.identify(pair.key);
    const { windows } = meta;
    for (let i = 0; i < windows.length; i++) {
      const buffer = windows[i] === this.lastWindow ? this.lastBuffer : this.bufferOf(windows[i]);
      if (buffer === undefined) this.droppedLate++;
      else buffer.add(id, pair.value, meta.timestamp);
    }
  };

  /** The input watermark has moved: windows that it passed become due. */
  advance(watermark: Timestamp): void {
    this.watermark = watermark;
    for (let ended = this.ends.takePassed(watermark); ended !== undefined; ended = this.ends.takePassed(watermark)) {
      ended.ended = true;
      this.makeDue(ended);
    }
    for (let expired = this.expiries.takePassed(watermark); expired !== undefined; expired = this.expiries.takePassed(watermark))
      if (!expired.due) this.forget(expired);
    this.lastWindow = undefined; // what it was may be late or gone now
  }

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
      this.finish(buffer);
    }
    return true;
  }

  /** The output watermark may not pass this (G4). */
  hold(): Timestamp {
    let hold = MAX_TIMESTAMP;
    if (this.strategy.timestampCombiner !== "end-of-window") {
      for (const buffer of this.windows.values()) if (!buffer.ended || buffer.due) hold = Math.min(hold, buffer.hold());
    } else if (this.due.length > 0) {
      // Windows whose end is not reached hold nothing back: they will emit at their end, beyond the input watermark.
      for (const buffer of this.due) hold = Math.min(hold, buffer.hold());
    }
    return hold;
  }

  /** G2: undefined for a window that has expired. */
  private bufferOf(window: Window): WindowBuffer | undefined {
    let buffer = this.windows.get(window);
    if (buffer === undefined) {
      const expiry = window.maxTimestamp + this.strategy.allowedLatenessMs;
      if (expiry < this.watermark) return undefined;
      buffer = new WindowBuffer(window, this.strategy, this.store);
      this.windows.set(window, buffer);
      if (window.maxTimestamp < this.watermark) buffer.ended = buffer.firedOnTime = true;
      else this.ends.add(window.maxTimestamp, buffer);
      if (this.strategy.allowedLatenessMs > 0) this.expiries.add(expiry, buffer);
    }
    if (buffer.ended) {
      this.makeDue(buffer); // and not remembered, so that its next element comes here again
    } else {
      this.lastWindow = window;
      this.lastBuffer = buffer;
    }
    return buffer;
  }

  private makeDue(buffer: WindowBuffer): void {
    if (buffer.due) return;
    buffer.due = true;
    this.due.push(buffer);
  }

  private finish(buffer: WindowBuffer): void {
    this.due.shift();
    this.emitting = undefined;
    buffer.due = false;
    buffer.firedOnTime = true;
    buffer.earliest = MAX_TIMESTAMP;
    if (buffer.window.maxTimestamp + this.strategy.allowedLatenessMs < this.watermark) this.forget(buffer);
  }

  private forget(buffer: WindowBuffer): void {
    buffer.drop();
    this.windows.delete(buffer.window);
  }
}
