import type { ElementMeta } from "../../portability/values/index.js";

/**
 * Elements of one stream on their way from a task to another: the unit that channels carry.
 *
 * Values and metas lie in parallel arrays. As long as all elements share one meta there is no array of metas at all:
 * the common case of bounded input, and what keeps a batch at one pointer per element.
 *
 * - B1. `metas`, once there, is as long as `values`; before that every element has `meta`.
 * - B2. A batch is written by its sender until it is handed over, then only read.
 */
export class ElementBatch {
  readonly values: unknown[] = [];
  /** The meta of all elements while `metas` is undefined. */
  meta: ElementMeta | undefined = undefined;
  metas: ElementMeta[] | undefined = undefined;
  /** Estimated size in bytes; what the batch costs in credits. */
  bytes = 0;

  get length(): number {
    return this.values.length;
  }

  push(value: unknown, meta: ElementMeta): void {
    this.values.push(value);
    if (this.metas !== undefined) this.metas.push(meta);
    else if (meta !== this.meta) this.differ(meta);
  }

  valueAt(index: number): unknown {
    return this.values[index];
  }

  metaAt(index: number): ElementMeta {
    return this.metas === undefined ? this.meta! : this.metas[index];
  }

  /** The elements from an index on, as a batch of its own. */
  slice(from: number): ElementBatch {
    const rest = new ElementBatch();
    for (let i = from; i < this.length; i++) rest.push(this.values[i], this.metaAt(i));
    return rest;
  }

  /** B1: the newest element has another meta than the ones before it. */
  private differ(meta: ElementMeta): void {
    const before = this.values.length - 1;
    if (before === 0) {
      this.meta = meta;
      return;
    }
    const metas = new Array<ElementMeta>(before).fill(this.meta!);
    metas.push(meta);
    this.metas = metas;
  }
}
