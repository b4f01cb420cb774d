import { renderElement, type ErrorSite, type FiredTimer } from "../../portability/stage-host/index.js";
import { formatTimestamp, IntervalWindow, type ElementMeta, type KV, type Window } from "../../portability/values/index.js";
import type { ElementBatch } from "./element-batch.js";

const MAX_DELAY_MS = 250;

/**
 * A bundle that has failed, on its way to being done: its elements come again until all of them are committed.
 *
 * - R1. At most `limit` attempts are made of any element, the first included.
 * - R2. In the last attempt each element is a bundle of its own, so that the one that fails is known whatever its stage can tell.
 * - R3. What has been committed does not come again; where a part of the bundle was, the rest is a bundle that has not failed yet.
 */
export class Replay {
  /** Attempts that have failed. */
  failures = 0;
  /** How many elements have been delivered in this attempt, or been committed. */
  position = 0;
  private committed = 0;

  constructor(
    private readonly batch: ElementBatch,
    /** So many at its front came too late to be grouped. */
    private readonly late: number,
    private readonly limit: number,
    private readonly firstDelayMs: number,
  ) {}

  /** Whether this is the last attempt (R2). */
  get isLast(): boolean {
    return this.limit > 1 && this.failures === this.limit - 1;
  }

  get isDelivered(): boolean {
    return this.position === this.batch.length;
  }

  get isCommitted(): boolean {
    return this.committed === this.batch.length;
  }

  /** Takes the next element: its index. */
  next(): number {
    return this.position++;
  }

  isLate(index: number): boolean {
    return index < this.late;
  }

  valueAt(index: number): unknown {
    return this.batch.values[index];
  }

  metaAt(index: number): ElementMeta {
    return this.batch.metaAt(index);
  }

  /** R3 */
  commit(): void {
    this.committed = this.position;
    if (!this.isLast) this.failures = 0;
  }

  /** An attempt has failed; false if it was the last one. */
  fail(): boolean {
    return ++this.failures < this.limit;
  }

  rewind(): void {
    this.position = this.committed;
  }

  /** Milliseconds to wait before the next attempt. */
  get delayMs(): number {
    return this.failures < 2 ? 0 : Math.min(MAX_DELAY_MS, this.firstDelayMs * 4 ** (this.failures - 2));
  }

  /** What is known of the element that failed. */
  culprit(isKeyed: boolean): Partial<ErrorSite> {
    const isKnown = this.position - this.committed === 1;
    if (!isKnown) return {};
    const value = this.batch.values[this.committed];
    const { windows } = this.batch.metaAt(this.committed);
    return {
      element: renderElement(value),
      ...(isKeyed ? { key: renderElement((value as KV<unknown, unknown>).key) } : {}),
      window: windows.map(describeWindow).join(" and "),
    };
  }
}

/** The same of a timer: the window and key that it is of. */
export function siteOfTimer({ key, window }: FiredTimer): Partial<ErrorSite> {
  return { key: renderElement(key), window: describeWindow(window) };
}

function describeWindow(window: Window): string {
  return window instanceof IntervalWindow ? `[${formatTimestamp(window.start)}, ${formatTimestamp(window.end)})` : window.toString();
}
