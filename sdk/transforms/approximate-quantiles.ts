import { createRequire } from "node:module";
import type * as Sketches from "@datadog/sketches-js";
import { bytesCoder, type Coder } from "../../portability/coders/index.js";
import type { KV } from "../../portability/values/index.js";
import type { CombineFn } from "../model/combine-fn.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { globally } from "./combine.js";
import { perKey } from "./per-key.js";

type DDSketch = Sketches.DDSketch;

/** What approximate quantiles accumulate. Which library's sketch it is may change, so its type tells little. */
export interface QuantileSketch {
  /** How many values it has seen. */
  readonly count: number;
}

/** Options of approximate quantiles. */
export interface QuantileOptions {
  /** How far a quantile may be from the true one, relative to it; default 0.01. */
  readonly relativeAccuracy?: number;
}

/** Loaded when first needed: most pipelines never are. */
function sketches(): typeof Sketches {
  return createRequire(import.meta.url)("@datadog/sketches-js") as typeof Sketches;
}

/**
 * Estimates `count` quantiles, evenly spaced from the least value to the greatest: 5 gives minimum, quartiles and maximum. Each is
 * within the relative accuracy of a true one (DDSketch, Masson et al. 2019).
 *
 * @throws RangeError unless `count` is a whole number above 1
 * @example
 * ```ts
 * latenciesByPage.apply(combinePerKey(approximateQuantilesFn(101)));
 * ```
 */
export function approximateQuantilesFn(
  count: number,
  { relativeAccuracy = 0.01 }: QuantileOptions = {},
): CombineFn<number, QuantileSketch, number[]> {
  if (!(Number.isSafeInteger(count) && count > 1)) throw new RangeError(`count must be a whole number above 1, not ${count}`);
  if (!(relativeAccuracy > 0 && relativeAccuracy < 1))
    throw new RangeError(`relativeAccuracy must be between 0 and 1, not ${relativeAccuracy}`);
  const fn: CombineFn<number, DDSketch, number[]> = {
    accumulatorCoder: sketchCoder,
    createAccumulator: () => new (sketches().DDSketch)({ relativeAccuracy }),
    addInput(sketch, value) {
      if (!Number.isFinite(value)) throw new RangeError(`quantiles are of finite numbers, not of ${String(value)}`);
      sketch.accept(value);
      return sketch;
    },
    mergeAccumulators(left, right) {
      if (left.count > 0 && right.count > 0) left.negativeStore.merge(right.negativeStore); // DDSketch 2.1 forgets it
      left.merge(right);
      return left;
    },
    extractOutput: (sketch) => (sketch.count === 0 ? [] : Array.from({ length: count }, (_, i) => quantile(sketch, i / (count - 1)))),
  };
  return fn;
}

function quantile(sketch: DDSketch, rank: number): number {
  if (rank === 0) return sketch.min;
  if (rank === 1) return sketch.max;
  return Math.min(sketch.max, Math.max(sketch.min, sketch.getValueAtQuantile(rank)));
}

/** A sketch's own message, and what that leaves out: minimum, maximum and sum. */
const sketchCoder: Coder<DDSketch> = {
  urn: "beamstorm:coder:ddsketch:v1",
  components: [],
  deterministic: false,
  encode(sketch, writer, nested) {
    const exact = Buffer.alloc(24);
    [sketch.min, sketch.max, sketch.sum].forEach((number, i) => exact.writeDoubleBE(number, i * 8));
    bytesCoder.encode(Buffer.concat([exact, sketch.toProto()]), writer, nested);
  },
  decode(reader, nested) {
    const bytes = bytesCoder.decode(reader, nested);
    const exact = Buffer.from(bytes.buffer, bytes.byteOffset, 24);
    const sketch = sketches().DDSketch.fromProto(bytes.subarray(24));
    [sketch.min, sketch.max, sketch.sum] = [0, 8, 16].map((at) => exact.readDoubleBE(at));
    return sketch;
  },
};

/**
 * About which values lie at `count` evenly spaced ranks of each window's numbers, as one array.
 *
 * @example
 * ```ts
 * latencies.apply(approximateQuantilesGlobally(5));
 * ```
 */
export const approximateQuantilesGlobally = (
  count: number,
  options?: QuantileOptions,
  name?: string,
): PTransform<PCollection<number>, PCollection<number[]>> =>
  globally(name, "approximateQuantilesGlobally", approximateQuantilesFn(count, options));

/**
 * About which values lie at `count` evenly spaced ranks of each key's numbers, as one array.
 *
 * @example
 * ```ts
 * latenciesByPage.apply(approximateQuantilesPerKey(5));
 * ```
 */
export const approximateQuantilesPerKey = <K>(
  count: number,
  options?: QuantileOptions,
  name?: string,
): PTransform<PCollection<KV<K, number>>, PCollection<KV<K, number[]>>> =>
  perKey(name, "approximateQuantilesPerKey", approximateQuantilesFn(count, options));
