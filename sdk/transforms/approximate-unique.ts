// How many different values there are, without keeping them: HyperLogLog (Flajolet et al. 2007) on 64 bits of hash, so that no
// correction is needed at the upper end; below 2.5 registers' worth it counts the empty ones.
import { bytesCoder, ByteWriter, type Coder } from "../../portability/coders/index.js";
import { murmur3Bytes } from "../../portability/hash/murmur3.js";
import type { KV } from "../../portability/values/index.js";
import type { CombineFn } from "../model/combine-fn.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { globally } from "./combine.js";
import { perKey } from "./per-key.js";
import { anyValue } from "./element-coder.js";

/** Options of approximate counts. */
export interface UniqueOptions {
  /**
   * 2 to the power of this many registers of a byte each: from 4 to 16, default 12. The standard error is `1.04 / sqrt(2 ** precision)`:
   * 1.6 % at 12, 0.4 % at 16.
   */
  readonly precision?: number;
  /** Encodes values: equal ones must have equal bytes. Default: any plain value. */
  readonly coder?: Coder<unknown>;
}

const SECOND_SEED = 0x9747b28c;

/**
 * Estimates the number of different values.
 *
 * @throws RangeError for a precision out of range
 * @example
 * ```ts
 * usersByPage.apply(combinePerKey(approximateUniqueFn({ precision: 14 })));
 * ```
 */
export function approximateUniqueFn({ precision = 12, coder = anyValue }: UniqueOptions = {}): CombineFn<unknown, Uint8Array, number> {
  if (!(Number.isInteger(precision) && precision >= 4 && precision <= 16))
    throw new RangeError(`precision must be a whole number from 4 to 16, not ${precision}`);
  const writer = new ByteWriter();
  return {
    accumulatorCoder: bytesCoder,
    createAccumulator: () => new Uint8Array(1 << precision),
    addInput(registers, value) {
      writer.reset();
      coder.encode(value, writer, true);
      const bytes = writer.view();
      observe(registers, precision, murmur3Bytes(bytes), murmur3Bytes(bytes, SECOND_SEED));
      return registers;
    },
    mergeAccumulators(left, right) {
      for (let i = 0; i < left.length; i++) if (right[i] > left[i]) left[i] = right[i];
      return left;
    },
    extractOutput: estimate,
  };
}

/** The register that the first hash names keeps the longest run of zeros that the rest of the bits began with. */
function observe(registers: Uint8Array, precision: number, first: number, second: number): void {
  const index = first >>> (32 - precision);
  const rest = (first << precision) >>> 0;
  const zeros = rest !== 0 ? Math.clz32(rest) : 32 - precision + Math.clz32(second);
  if (zeros + 1 > registers[index]) registers[index] = zeros + 1;
}

function estimate(registers: Uint8Array): number {
  const m = registers.length;
  let sum = 0;
  let empty = 0;
  for (const register of registers) {
    sum += 2 ** -register;
    if (register === 0) empty++;
  }
  const alpha = m === 16 ? 0.673 : m === 32 ? 0.697 : m === 64 ? 0.709 : 0.7213 / (1 + 1.079 / m);
  const raw = (alpha * m * m) / sum;
  return Math.round(raw <= 2.5 * m && empty > 0 ? m * Math.log(m / empty) : raw);
}

/**
 * About how many different elements each window has.
 *
 * @example
 * ```ts
 * visits.apply(map(({ user }) => user)).apply(approximateUniqueGlobally());
 * ```
 */
export const approximateUniqueGlobally = (options?: UniqueOptions, name?: string): PTransform<PCollection<unknown>, PCollection<number>> =>
  globally(name, "approximateUniqueGlobally", approximateUniqueFn(options));

/**
 * About how many different values each key has.
 *
 * @example
 * ```ts
 * usersByPage.apply(approximateUniquePerKey({ precision: 10 }));
 * ```
 */
export const approximateUniquePerKey = <K>(
  options?: UniqueOptions,
  name?: string,
): PTransform<PCollection<KV<K, unknown>>, PCollection<KV<K, number>>> =>
  perKey(name, "approximateUniquePerKey", approximateUniqueFn(options));
