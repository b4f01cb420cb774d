import type { ElementMeta } from "../../portability/values/index.js";
import type { Repeatable } from "../windows/index.js";
import { ElementBatch } from "./element-batch.js";

/** What is assumed of a value in a group, which nobody has measured. */
const VALUE_BYTES = 64;

interface Range {
  readonly elements: Repeatable;
  readonly from: number;
  to: number;
}

/**
 * What the open bundle of a task has given to its stage, so that it can be given again after a failure.
 *
 * Elements that go to the stage as they came are remembered by the batches that they came in, so that they cost nothing; so is what a head emits
 * that can be had again; anything else that it emits, one by one. A bundle is made of either.
 */
export class BundleLog {
  /** Estimated bytes that are kept because of the bundle. */
  bytes = 0;
  private readonly ranges: Range[] = [];
  private emitted = new ElementBatch();
  private emittedLate = new ElementBatch();

  /** The bundle took these elements of a batch. Until the last of them is taken, the batch would be kept anyway. */
  addRange(batch: ElementBatch, from: number, to: number): void {
    if (to === from) return;
    this.addTo(batch, from, to);
    if (to === batch.length) this.bytes += batch.bytes;
  }

  /** The head emitted an element that can be had again until the bundle is over. */
  addRepeatable(elements: Repeatable, number: number): void {
    this.addTo(elements, number, number + 1);
  }

  /** The head emitted an element. */
  add(value: unknown, meta: ElementMeta): void {
    this.emitted.push(value, meta);
    this.bytes += sizeOfGroup(value);
  }

  /** The head emitted one that came too late. */
  addLate(value: unknown, meta: ElementMeta): void {
    this.emittedLate.push(value, meta);
    this.bytes += VALUE_BYTES;
  }

  /** How many came too late. */
  get late(): number {
    return this.emittedLate.length;
  }

  clear(): void {
    this.bytes = 0;
    this.ranges.length = 0;
    if (this.emitted.length > 0) this.emitted = new ElementBatch();
    if (this.emittedLate.length > 0) this.emittedLate = new ElementBatch();
  }

  /** All of it, what came too late first, each in order; the log is empty then. */
  take(): ElementBatch {
    const all = this.emittedLate;
    for (let i = 0; i < this.emitted.length; i++) all.push(this.emitted.values[i], this.emitted.metaAt(i));
    for (const { elements, from, to } of this.ranges) for (let i = from; i < to; i++) all.push(elements.valueAt(i), elements.metaAt(i));
    this.emittedLate = new ElementBatch();
    this.clear();
    return all;
  }

  private addTo(elements: Repeatable, from: number, to: number): void {
    const last = this.ranges.at(-1);
    if (last?.elements === elements && last.to === from) last.to = to;
    else this.ranges.push({ elements, from, to });
  }
}

function sizeOfGroup(element: unknown): number {
  const values: unknown = (element as { readonly value?: unknown } | null | undefined)?.value;
  return Array.isArray(values) ? (values.length + 1) * VALUE_BYTES : VALUE_BYTES;
}
