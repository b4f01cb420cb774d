import type { ElementMeta, Timestamp } from "../../portability/values/index.js";
import type { Restorable, UndoLog } from "./undo-log.js";

/** An element of one window that waits. */
export interface WaitingElement {
  readonly element: unknown;
  readonly meta: ElementMeta;
}

/** The arrays, where the first one begins, and how many the second one has. */
type Saved = readonly [sorted: readonly WaitingElement[], first: number, added: WaitingElement[], count: number];

/** Taken elements in front that are let go of at once. */
const TAKEN = 1024;

/**
 * Elements of a key and window that wait for their time: taken by ascending timestamp, those of one timestamp in the order of their coming.
 *
 * - S1. What is added is sorted in when something is taken, all of it at once: input that comes in one go is sorted once.
 * - S2. An array that was saved is not changed, but for what is appended to it.
 */
export class SortedElements implements Restorable<Saved> {
  private sorted: readonly WaitingElement[] = [];
  private first = 0;
  private added: WaitingElement[] = [];
  private savedIn = 0;

  /** The earliest timestamp; Infinity without elements. */
  get next(): Timestamp {
    let next = this.first < this.sorted.length ? this.sorted[this.first].meta.timestamp : Infinity;
    for (const { meta } of this.added) if (meta.timestamp < next) next = meta.timestamp;
    return next;
  }

  get size(): number {
    return this.sorted.length - this.first + this.added.length;
  }

  add(waiting: WaitingElement, log: UndoLog): void {
    this.save(log);
    this.added.push(waiting);
  }

  /** Takes the earliest; there must be one. */
  take(log: UndoLog): WaitingElement {
    this.save(log);
    if (this.added.length > 0) this.sortIn();
    const taken = this.sorted[this.first++];
    if (this.first >= TAKEN && this.first * 2 >= this.sorted.length) {
      this.sorted = this.sorted.slice(this.first);
      this.first = 0;
    }
    return taken;
  }

  /** All that waits, in the order in which it will be taken. */
  get elements(): readonly WaitingElement[] {
    return merge(this.sorted, this.first, [...this.added].sort(byTime));
  }

  restore([sorted, first, added, count]: Saved): void {
    this.sorted = sorted;
    this.first = first;
    this.added = added;
    this.added.length = count;
  }

  /** S1 */
  private sortIn(): void {
    this.sorted = this.elements;
    this.first = 0;
    this.added = [];
  }

  private save(log: UndoLog): void {
    if (this.savedIn === log.bundle) return;
    this.savedIn = log.bundle;
    log.save<Saved>(this, [this.sorted, this.first, this.added, this.added.length]);
  }
}

const byTime = (a: WaitingElement, b: WaitingElement): number => a.meta.timestamp - b.meta.timestamp;

/** Of equal timestamps those of `left` first. */
function merge(left: readonly WaitingElement[], from: number, right: readonly WaitingElement[]): readonly WaitingElement[] {
  const merged: WaitingElement[] = [];
  let i = from;
  for (const each of right) {
    while (i < left.length && byTime(left[i], each) <= 0) merged.push(left[i++]);
    merged.push(each);
  }
  while (i < left.length) merged.push(left[i++]);
  return merged;
}
