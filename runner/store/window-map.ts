import { GlobalWindow, IntervalWindow, OpaqueWindow, type Window } from "../../portability/values/index.js";

/**
 * A map with windows as keys, compared by what they are and not by identity: a window that came over a channel is
 * another object than its equal that did not.
 *
 * The last window asked for is remembered: streams ask for the same one many times in a row.
 */
export class WindowMap<V> {
  private readonly intervals = new Map<number, Map<number, V>>();
  private readonly others = new Map<string, V>();
  private readonly all = new Map<V, Window>();
  private lastWindow: Window | undefined;
  private lastValue: V | undefined;

  get size(): number {
    return this.all.size;
  }

  get(window: Window): V | undefined {
    if (window === this.lastWindow) return this.lastValue;
    const value =
      window instanceof IntervalWindow ? this.intervals.get(window.start)?.get(window.end) : this.others.get(windowText(window));
    if (value !== undefined) {
      this.lastWindow = window;
      this.lastValue = value;
    }
    return value;
  }

  /** Adds a window that is not there. Values must be distinct objects. */
  set(window: Window, value: V): void {
    if (window instanceof IntervalWindow) {
      let ends = this.intervals.get(window.start);
      if (ends === undefined) this.intervals.set(window.start, (ends = new Map()));
      ends.set(window.end, value);
    } else {
      this.others.set(windowText(window), value);
    }
    this.all.set(value, window);
    this.forgetLast();
  }

  delete(window: Window): void {
    const value = this.get(window);
    if (value === undefined) return;
    if (window instanceof IntervalWindow) {
      const ends = this.intervals.get(window.start)!;
      ends.delete(window.end);
      if (ends.size === 0) this.intervals.delete(window.start);
    } else {
      this.others.delete(windowText(window));
    }
    this.all.delete(value);
    this.forgetLast();
  }

  values(): IterableIterator<V> {
    return this.all.keys();
  }

  private forgetLast(): void {
    this.lastWindow = undefined;
    this.lastValue = undefined;
  }
}

/** Whether they are equal by value. */
export function sameWindow(a: Window, b: Window): boolean {
  if (a === b) return true;
  if (a instanceof IntervalWindow) return b instanceof IntervalWindow && a.start === b.start && a.end === b.end;
  return !(b instanceof IntervalWindow) && windowText(a) === windowText(b);
}

function windowText(window: Window): string {
  if (window instanceof GlobalWindow) return "global";
  if (window instanceof OpaqueWindow) {
    const { encoded } = window;
    return `${window.maxTimestamp}:${Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength).latin1Slice(0, encoded.byteLength)}`;
  }
  return `${window.constructor.name} ${String(window)}`;
}
