import { ByteReader, type Coder } from "../../portability/coders/index.js";
import type { Segment } from "./segment.js";

/**
 * The values of a group that stays on disk: read a segment at a time, as often as it is iterated. Iterations do not
 * disturb each other.
 */
export class SpilledValues<V> implements Iterable<V> {
  /** Number of values. */
  readonly length: number;

  constructor(
    private readonly segments: readonly Segment[],
    private readonly coder: Coder<V>,
  ) {
    this.length = segments.reduce((sum, { count }) => sum + count, 0);
  }

  *[Symbol.iterator](): Iterator<V> {
    for (const { file, position, bytes, count } of this.segments) yield* decodeValues(this.coder, file.read(position, bytes), count);
  }
}

export function decodeValues<V>(coder: Coder<V>, bytes: Uint8Array, count: number): V[] {
  const reader = new ByteReader(bytes);
  const values = new Array<V>(count);
  for (let i = 0; i < count; i++) values[i] = coder.decode(reader, true);
  return values;
}
