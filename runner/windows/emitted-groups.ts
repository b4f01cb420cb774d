import { kv, type ElementMeta } from "../../portability/values/index.js";
import type { KeySpace, LastingGroups } from "../store/index.js";

/** Elements that can be had again, by their numbers. */
export interface Repeatable {
  valueAt(number: number): unknown;
  metaAt(number: number): ElementMeta;
}

/** Takes what a head emits; with it, if that can be had again, from where and by which number. */
export type Emit = (value: unknown, meta: ElementMeta, from?: Repeatable, number?: number) => void;

/** The groups of a window, as they are emitted. */
export class EmittedGroups implements Repeatable {
  constructor(
    private readonly groups: LastingGroups<unknown>,
    private readonly keys: KeySpace,
    private readonly meta: ElementMeta,
  ) {}

  valueAt(number: number): unknown {
    return kv(this.keys.restore(this.groups.keyAt(number)), this.groups.valuesAt(number));
  }

  metaAt(): ElementMeta {
    return this.meta;
  }
}
