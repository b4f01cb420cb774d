import { randomUUID } from "node:crypto";
import type { Residual, RestrictionContext, Truncation } from "../../portability/stage-host/index.js";
import { MAX_TIMESTAMP, type Timestamp } from "../../portability/values/index.js";
import type { ChangeLog } from "../snapshot/index.js";
import { InstantQueue } from "../windows/index.js";
import type { Clock } from "./clock.js";

/** Entries of a queue that may be left over. */
const SPARE = 64;

/** A residual of a bundle that was committed, on its way to the next one. */
export interface KeptResidual extends Omit<Residual, "delayMs"> {
  /** Another one for each, of whatever task and run. */
  readonly id: string;
  /** Processing time at which it is to be gone on with. */
  readonly dueAt: number;
  /** Whether it asked for a delay: what goes by the clock has nothing to share. */
  readonly isPaced: boolean;
}

/** One that waits in a task. */
export interface WaitingResidual extends KeptResidual {
  /** Of the {@link ChangeLog}. */
  changedIn: number;
}

/**
 * The restrictions that a task has still to go on with: plain data, complete between two bundles.
 *
 * - R1. What a bundle hands back is here when the bundle is committed, and nowhere if it fails. What was taken out belongs to the bundle
 *   that it was taken for, which is given it again if it fails.
 * - R2. The hold is the earliest watermark of those that are here.
 * - R3. Once the job is drained, what has not been truncated is due at once.
 */
export class Residuals {
  /** Told of each residual before it comes or goes, where there are snapshots. */
  changes: ChangeLog<WaitingResidual> | undefined;
  private readonly all = new Set<WaitingResidual>();
  private byTime = new InstantQueue<WaitingResidual>();
  private readonly byWatermark = new Earliest(this.all);
  private readonly byTimestamp = new Earliest(this.all);
  /** Of the bundle under way. */
  private handedBack: Residual[] = [];
  private readonly truncated = new WeakSet<object>();
  private drained = false;

  constructor(private readonly clock: Clock) {}

  /** What an executor is opened with. */
  contextWith(shouldCheckpoint: () => boolean, shouldShare: () => boolean = never): RestrictionContext {
    return {
      now: () => this.clock.now(),
      shouldCheckpoint,
      shouldShare,
      residual: (residual) => this.handedBack.push(residual),
      truncation: (value) => this.truncationOf(value),
    };
  }

  get size(): number {
    return this.all.size;
  }

  has(residual: WaitingResidual): boolean {
    return this.all.has(residual);
  }

  /** Takes in what a task had in another run. */
  restore(residual: KeptResidual): void {
    this.add({ ...residual, changedIn: 0 });
  }

  /** When the next one is due; Infinity if there is none. */
  get nextDue(): number {
    return this.byTime.next;
  }

  /** Those whose time has come, which stay here until they are {@link taken}. */
  due(): WaitingResidual[] {
    const found: WaitingResidual[] = [];
    const now = this.clock.now();
    for (let next = this.byTime.takeReached(now); next !== undefined; next = this.byTime.takeReached(now)) found.push(next);
    return found;
  }

  /** The next one whose time has come, which is to be {@link taken}, but never the last of them if one is to stay. */
  takeDue(oneStays: boolean): WaitingResidual | undefined {
    const { byTime } = this;
    const now = this.clock.now();
    const first = byTime.takeReached(now);
    if (first === undefined || !oneStays || byTime.next <= now) return first;
    byTime.add(this.dueTimeOf(first), first);
    return undefined;
  }

  /** Another task has given it. */
  receive(residual: Omit<KeptResidual, "id">): WaitingResidual {
    const received = { ...residual, id: randomUUID(), changedIn: 0 };
    this.add(received);
    return received;
  }

  /** It goes to another task. */
  remove(residual: WaitingResidual): void {
    this.taken(residual);
    if (this.byTime.peek() === residual) this.byTime.take();
    else this.byTime.retain((_, each) => each !== residual);
  }

  /** It is delivered. */
  taken(residual: WaitingResidual): void {
    this.changes?.touch(residual);
    this.all.delete(residual);
  }

  /** R2 */
  hold(): Timestamp {
    return this.byWatermark.first();
  }

  /** No element whose restriction is here is earlier. */
  needsFrom(): Timestamp {
    return this.byTimestamp.first();
  }

  /** R1 */
  commit(): void {
    const now = this.clock.now();
    for (const { delayMs, ...residual } of this.handedBack.splice(0))
      this.add({ ...residual, id: randomUUID(), dueAt: now + delayMs, isPaced: delayMs > 0, changedIn: 0 });
  }

  rollback(): void {
    this.handedBack = [];
  }

  /** R3 */
  drain(): void {
    this.drained = true;
    const waiting = this.byTime;
    this.byTime = new InstantQueue();
    for (let next = waiting.take(); next !== undefined; next = waiting.take()) this.byTime.add(this.dueTimeOf(next), next);
  }

  private add(residual: WaitingResidual): void {
    this.changes?.touch(residual);
    if (residual.isTruncated) this.truncated.add(residual.value as object);
    this.all.add(residual);
    this.byTime.add(this.dueTimeOf(residual), residual);
    this.byWatermark.add(residual.watermark, residual);
    this.byTimestamp.add(residual.meta.timestamp, residual);
  }

  private dueTimeOf({ dueAt, isTruncated }: WaitingResidual): number {
    return this.drained && !isTruncated ? -Infinity : dueAt;
  }

  private truncationOf(value: unknown): Truncation {
    if (this.truncated.has(value as object)) return "done";
    return this.drained ? "due" : "none";
  }
}

/** The earliest instant of those that are there. One that is gone leaves the queue when its turn comes, or when too many have gone. */
class Earliest {
  private readonly queue = new InstantQueue<WaitingResidual>();

  constructor(private readonly present: ReadonlySet<WaitingResidual>) {}

  add(instant: Timestamp, residual: WaitingResidual): void {
    const { queue, present } = this;
    queue.add(instant, residual);
    if (queue.size > 2 * present.size + SPARE) queue.retain((_, each) => present.has(each));
  }

  first(): Timestamp {
    const { queue, present } = this;
    for (let first = queue.peek(); first !== undefined && !present.has(first); first = queue.peek()) queue.take();
    return queue.size === 0 ? MAX_TIMESTAMP : queue.next;
  }
}

function never(): boolean {
  return false;
}
