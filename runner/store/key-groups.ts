import type { KeySpace, StateKey } from "./key-space.js";

/**
 * How keys fall into the job's fixed number of key groups, and key groups onto tasks (design D7).
 *
 * A task owns a contiguous range of key groups: group `g` belongs to task `floor(g * parallelism / count)`.
 */
export class KeyGroups {
  constructor(
    readonly count: number,
    readonly keys: KeySpace,
  ) {}

  /** The key group of a key, in `[0, count)`. */
  of(id: StateKey): number {
    return this.ofHash(this.keys.hash(id));
  }

  /** @param hash of the key, unsigned */
  ofHash(hash: number): number {
    return hash % this.count;
  }
}

/** The task of each key group. */
export function taskOfKeyGroup(count: number, parallelism: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, group) => Math.floor((group * parallelism) / count));
}
