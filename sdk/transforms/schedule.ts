import { MIN_TIMESTAMP, type Timestamp } from "../../portability/values/index.js";
import type { EmitFromReader, Reader, ReaderContext, ReadResult } from "../model/source.js";

interface Plan<T> {
  /** Milliseconds between two elements; 0: each is due at once. */
  readonly everyMs: number;
  /** When the first one is due; default: at the first read. */
  readonly origin?: number;
  /** How many there are, for all readers together. */
  readonly total: number;
  /** How far behind the clock it may be; Infinity: nothing is put off. */
  readonly catchUpMs: number;
  elementOf(k: number, due: number): T;
  /** Default: when it is due. */
  readonly timestampOf?: (k: number) => Timestamp;
}

/** How far a schedule has come. */
interface Position {
  readonly k: number;
  readonly origin: number | undefined;
}

/**
 * Elements by the clock: number `k` is due at `origin + k × everyMs`. Of n readers number i has every n-th, from the i-th on.
 *
 * - S1. When an element is due follows from its number, not from when the one before it was read: nothing adds up.
 * - S2. Only a standstill of more than `catchUpMs` moves the origin.
 * - S3. The watermark is the timestamp of this reader's next element.
 */
export class Schedule<T> implements Reader<T> {
  private origin: number | undefined;
  private k: number;
  private now = 0;

  constructor(
    private readonly context: ReaderContext,
    private readonly plan: Plan<T>,
  ) {
    const before = context.position as Position | undefined; // as `position` gave it
    this.origin = before?.origin ?? plan.origin;
    this.k = before?.k ?? context.index;
  }

  read(emit: EmitFromReader<T>): ReadResult {
    const { plan, context } = this;
    this.now = Math.max(this.now, context.now());
    this.origin ??= this.now;
    const behind = this.now - this.due();
    if (behind > plan.catchUpMs) this.origin += behind - plan.catchUpMs; // S2
    for (;;) {
      if (this.k >= plan.total) return "end";
      const due = this.due();
      if (due > this.now) return due;
      const element = plan.elementOf(this.k, due);
      const timestamp = this.timestamp();
      this.k += context.count;
      if (!emit(element, timestamp)) return this.k >= plan.total ? "end" : "more";
    }
  }

  position(): Position {
    return { k: this.k, origin: this.origin };
  }

  /** S3 */
  watermark(): Timestamp {
    return this.origin === undefined ? MIN_TIMESTAMP : this.timestamp();
  }

  /** S1 */
  private due(): number {
    const { everyMs } = this.plan;
    return everyMs === 0 ? this.now : this.origin! + this.k * everyMs;
  }

  private timestamp(): Timestamp {
    return Math.floor(this.plan.timestampOf?.(this.k) ?? this.due());
  }
}
