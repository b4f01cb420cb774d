import type { NextRead, SourceReader } from "../../portability/stage-host/index.js";
import {
  ElementMeta,
  GLOBAL_WINDOWS,
  MAX_TIMESTAMP,
  MIN_TIMESTAMP,
  NO_FIRING,
  type Receiver,
  type Timestamp,
} from "../../portability/values/index.js";
import type { Clock } from "./clock.js";
import type { SnapshotPart } from "../snapshot/index.js";
import type { HeadOperator } from "./head.js";
import { SourceSnapshot } from "./source-snapshot.js";

/** How often a watermark that follows the clock moves while nothing is read, in milliseconds. */
const WATERMARK_EVERY_MS = 50;

/**
 * The head of a spout that reads a source of its stage's host: drains the reader into the stage, and sleeps while there is nothing.
 *
 * - R1. Reading starts when the task's input is over: a spout has none, so that is its first turn.
 * - R2. It is read when it says so, when its time has come, or after {@link available}; that is not lost when it comes during a read.
 * - R3. The hold is the reader's watermark until its end: no bundle is open when it is asked.
 * - R4. It is idle after `idleAfterMs` without an element and no longer once there is one.
 * - R5. What the stage fails with waits until the read is over: a reader need not bear it. What it emits until then comes later.
 * - R6. Drained, the reader is read until it says that it has given all it had taken: then the source has ended like any other.
 */
export class SourceHead implements HeadOperator {
  readonly isSource = true;
  readonly droppedLate = 0;
  readonly droppedClosed = 0;
  private started = false;
  private over = false;
  private due: number = -Infinity;
  private wasCalled = false;
  private tickAt = Infinity;
  private idleAt = Infinity;
  private lastElementAt = -Infinity;
  private emitted = false;
  private goOn = true;
  /** R5 */
  private failure: { readonly error: unknown } | undefined;
  private readonly waiting: { readonly value: unknown; readonly meta: ElementMeta }[] = [];
  private pause: () => boolean = () => false;
  private meta = new ElementMeta(MIN_TIMESTAMP, GLOBAL_WINDOWS, NO_FIRING);
  isIdle = false;
  /** The watermark of the run that it goes on from. */
  private reached: Timestamp = MIN_TIMESTAMP;

  constructor(
    private readonly reader: SourceReader,
    private readonly stage: Receiver,
    private readonly clock: Clock,
    /** Gives the task a turn. */
    private readonly wake: () => void,
  ) {}

  /** Something has come from outside (R2). */
  available(): void {
    if (this.over || this.wasCalled) return;
    this.wasCalled = true;
    this.wake();
  }

  /** R6 */
  beginDrain(): void {
    if (this.over) return;
    this.reader.drain();
    this.available();
  }

  readonly process: Receiver = () => {
    throw new Error("a source has no input");
  };

  /** R1 */
  advance(): void {
    if (this.started) return;
    this.started = true;
    this.isIdle = true;
    this.isActive(this.clock.now());
  }

  get draining(): boolean {
    return this.waiting.length > 0 || this.isDue;
  }

  private get isDue(): boolean {
    return this.started && !this.over && (this.wasCalled || this.due === -Infinity);
  }

  get mayFreeze(): boolean {
    return this.waiting.length === 0;
  }

  drain(pause: () => boolean): boolean {
    if (pause()) return false;
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      this.stage(next.value, next.meta);
      if (pause()) return false;
    }
    if (!this.isDue) return true;
    this.pause = pause;
    this.emitted = false;
    this.goOn = true;
    this.wasCalled = false;
    this.readOnce();
    if (this.emitted) this.isActive(this.clock.now());
    if (this.failure !== undefined) {
      const { error } = this.failure;
      this.failure = undefined;
      throw error;
    }
    return !this.draining;
  }

  get deadline(): number {
    if (!this.started || this.over) return Infinity;
    return Math.min(this.due, this.idleAt, this.tickAt);
  }

  advanceTime(now: number): void {
    if (this.due <= now) this.due = -Infinity;
    if (this.tickAt <= now) this.tickAt = now + WATERMARK_EVERY_MS;
    if (this.idleAt > now) return;
    this.idleAt = this.lastElementAt + this.reader.idleAfterMs;
    if (this.idleAt > now) return; // it had elements since the alarm was set
    this.isIdle = true;
    this.idleAt = Infinity;
    this.tickAt = Infinity;
  }

  /** Where the reader is, in snapshots. */
  get snapshot(): SnapshotPart {
    return new SourceSnapshot(
      () => ({ isOver: this.over, watermark: this.hold(), position: this.over ? undefined : this.reader.position?.() }),
      ({ isOver, watermark }) => {
        this.over = isOver;
        this.reached = watermark;
      },
    );
  }

  /** R3 */
  hold(): Timestamp {
    const read = this.over ? MAX_TIMESTAMP : Math.max(this.reached, this.reader.watermark());
    return this.waiting.reduce((least, { meta }) => Math.min(least, meta.timestamp), read);
  }

  /** Said of an input like any other: whether it comes is not in this job's hands. */
  get waitsFor(): string | undefined {
    return this.over ? undefined : "input";
  }

  close(): Promise<void> {
    this.over = true;
    return this.reader.close();
  }

  /** R4 */
  private isActive(now: number): void {
    this.lastElementAt = now;
    if (!this.isIdle) return;
    this.isIdle = false;
    this.idleAt = now + this.reader.idleAfterMs;
    if (this.reader.followsClock) this.tickAt = now + WATERMARK_EVERY_MS;
  }

  /** R5: a failure of the stage comes before one of the source, which is going to be met again. */
  private readOnce(): void {
    try {
      this.plan(this.reader.read(this.emit));
    } catch (error) {
      if (this.failure === undefined) throw error;
    }
  }

  private plan(next: NextRead): void {
    if (next === "end") this.over = true;
    else this.due = next === "more" ? -Infinity : next;
  }

  /** Elements that came together mostly have one timestamp: they share its meta. */
  private readonly emit = (value: unknown, timestamp: Timestamp): boolean => {
    this.emitted = true;
    if (timestamp !== this.meta.timestamp) this.meta = new ElementMeta(timestamp, GLOBAL_WINDOWS, NO_FIRING);
    if (this.failure !== undefined) {
      this.waiting.push({ value, meta: this.meta });
      return false;
    }
    try {
      this.stage(value, this.meta);
    } catch (error) {
      this.failure = { error };
      return false;
    }
    return this.goOn && (this.goOn = !this.pause());
  };
}
